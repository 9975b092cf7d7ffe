// SPDX-License-Identifier: GPL-2.0-or-later
// A program that a test runs, and each system call of it that the test is asked about before it is made
// (seccomp_unotify(2)). Whatever makes the call, the C library or the program itself, it cannot go past that.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace slurm_adopt::test {

struct Call {
    long number = 0;  // SYS_...
    std::array<std::uint64_t, 6> arguments{};
    pid_t pid = 0;
    bool own = true;  // the program's, not a child's
    int index = 0;    // of the program's or of its children's; the first is 1
};

// 0: to be made. Else it is not made, and fails with this errno.
using OnCall = std::function<int(const Call&)>;

struct Program {
    std::vector<std::string> arguments;         // the first is its path
    std::vector<std::string> environment = {};  // "NAME=value", besides the test's own
    std::function<void()> prepare = {};         // in the child, before it becomes the program
    OnCall on_call = {};                        // asked between mark_begin and mark_end (watched_marks.h)
};

struct ProgramEnd {
    std::string trouble;  // empty: it exited with 0
    std::string output;
    int calls = 0;        // of the program's own between the marks
    int child_calls = 0;  // of its children's, until they became another program
};

// Kills it after half a minute.
[[nodiscard]] ProgramEnd run_program(const Program& program);

}  // namespace slurm_adopt::test
