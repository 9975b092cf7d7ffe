// SPDX-License-Identifier: GPL-2.0-or-later
// A login through the real libpam and the built module: what system_login.cc does, run and read.
#pragma once

#include <string>
#include <vector>

#include "node_test.h"
#include "watched_program.h"

namespace slurm_adopt::test {

inline constexpr uid_t nobody = 65534;  // of the real user database

struct HostLogin {
    std::vector<std::string> options = {"strict"};
    std::string user = "nobody";
    std::string mode = "account";
    std::vector<std::string> environment = {};  // FAULTS_...: slurm_adopt_preload.so is preloaded
    std::function<void()> prepare = {};
    OnCall on_call = {};
};

struct HostCall {
    std::string phase;
    int code = -1;
    bool inside = false;
    double milliseconds = 0;
};

struct HostOutcome {
    std::string trouble;
    std::vector<HostCall> calls;
    int failed_mallocs = 0;
    int system_calls = 0;  // between begin and end of the module's work
    int child_calls = 0;   // of the helper, until it is that

    [[nodiscard]] double longest() const;
    [[nodiscard]] double sum() const;
    // Every call came to PAM_SUCCESS, and left the process in a step.
    [[nodiscard]] bool adopted() const;
    [[nodiscard]] std::string text() const;  // for messages
};

[[nodiscard]] HostOutcome log_in_on_host(const HostLogin& login);

// For `prepare`: mounts that nobody else sees, a /run of its own among them.
void private_mounts();
void private_run();

// That the login succeeds where nothing fails, given all the time that a busy node may need: or a table of faults says
// nothing.
void expect_adopted_without_faults(HostLogin login);

// What must hold whatever fails: nobody is let in outside a step, nothing hangs longer than `bound_ms`, nothing dies.
void expect_safe(const std::string& what, const HostOutcome& outcome, double bound_ms);

}  // namespace slurm_adopt::test
