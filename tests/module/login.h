// SPDX-License-Identifier: GPL-2.0-or-later
// One login: calls of the module's phases in a child, and everything that can be seen of them.
#pragma once

#include <security/pam_modules.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/discovery.h"

namespace slurm_adopt::test {

enum class Phases { account, session, both };

struct Login {
    std::optional<std::string> user = "alice";  // none: PAM_USER is not set
    std::vector<std::string> options = {};
    std::string service = "sshd";
    std::string rhost = "192.0.2.7";
    int flags = 0;
    int putenv_result = PAM_SUCCESS;
    int prompt_result = PAM_SUCCESS;
    int errno_before = 0;
    std::optional<Roots> roots = std::nullopt;  // other than the real ones; for the account phase only
    Phases phases = Phases::account;
    std::function<void()> between = {};         // done in the process between account and session phase
    std::optional<std::vector<std::string>> options_of_session = std::nullopt;  // others than those of the account phase
    std::optional<std::string> user_of_session = std::nullopt;  // another than that of the account phase
    std::vector<std::string> environment = {};  // "NAME=value", what PAM's environment holds before
    int set_data_result = PAM_SUCCESS;
};

struct Outcome {
    std::string code;                      // of the last phase: "success", "perm_denied", "ignore", "user_unknown", or a number
    std::vector<std::string> log;          // "warning text", times as ms=#
    std::vector<std::string> told;         // "error text", the host's name as HOST
    std::vector<std::string> environment;  // "NAME=value", what was there before too
    std::string cgroup;                    // /proc/self/cgroup afterwards
    std::string mount_namespace;           // afterwards
    double milliseconds = 0;               // of the call
    std::string complaints;                // what the module left behind in the process, or how it died
};

[[nodiscard]] Outcome log_in(const Login& login);

// What a login has to end with, to the last line.
struct Expected {
    std::string code;
    std::vector<std::string> log;
    std::vector<std::string> told = {};
    std::vector<std::string> environment = {};
};

void expect(const std::string& what, const Outcome& outcome, const Expected& expected);

// The decision line, with priority: decided("info adopt one_job", 1, 7, "yes", "open").
struct Who {
    std::string user = "alice";
    std::string uid = "41001";
    std::string service = "sshd";
    std::string phase = "account";
};
[[nodiscard]] std::string decided(const std::string& priority_verdict_reason, int jobs, int job, const std::string& verified,
                                  const std::string& on_failure, const Who& who = {});

[[nodiscard]] bool is_in(const Outcome& outcome, const std::string& cgroup);

// What the refused are told.
extern const char* const no_job_message;
[[nodiscard]] std::string adopt_failure_message(const std::string& reason);

}  // namespace slurm_adopt::test
