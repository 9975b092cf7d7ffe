// SPDX-License-Identifier: GPL-2.0-or-later
// That whatever was started has been reaped, children of every kind (waitpid(2), __WALL).
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>

namespace slurm_adopt::test {

inline void expect_no_child_left()
{
    errno = 0;
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1);
    EXPECT_EQ(errno, ECHILD);
}

}  // namespace slurm_adopt::test
