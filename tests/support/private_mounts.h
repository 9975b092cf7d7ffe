// SPDX-License-Identifier: GPL-2.0-or-later
// A tmpfs of a test's own in a mount namespace of this process's own: what is mounted below it is gone with its object.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>

#include "support/temp_directory.h"

namespace slurm_adopt::test {

class PrivateMounts : public ::testing::Test {
public:
    [[nodiscard]] const std::string& path() const { return directory_.path(); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return directory_ / name; }

protected:
    void SetUp() override
    {
        if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "needs root with CAP_SYS_ADMIN";
        ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        ASSERT_EQ(::mount("tmpfs", path().c_str(), "tmpfs", 0, "mode=0755"), 0);
    }
    void TearDown() override { (void)::umount2(path().c_str(), MNT_DETACH); }

    const TempDirectory directory_;
};

}  // namespace slurm_adopt::test
