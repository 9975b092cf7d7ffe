// SPDX-License-Identifier: GPL-2.0-or-later
// Many logins, each in a process of its own that the test has forked, as sshd forks one for a connection.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace slurm_adopt::e2e {

// What one login came to, as the process that logged in saw it: it goes through a pipe in one piece.
struct StormLogin {
    std::int32_t user = 0;    // which of the storm's users
    std::int32_t result = -1; // of the first PAM call that failed, or PAM_SUCCESS; killed: see below
    std::uint32_t job = 0;    // whose extern step the process is in, by the kernel, before the session closes; 0: none
    std::uint32_t owner = 0;  // the uid that job's cgroup says
    double took_ms = 0;       // of account and session phase
    double account_ms = 0;

    static constexpr std::int32_t killed = -2;  // before it could say anything
};

// Our module's account and session line with these options.
[[nodiscard]] std::vector<std::string> storm_stack(const std::string& options);

// pam_start to pam_end in this process, with a session that is closed at once.
[[nodiscard]] StormLogin log_in_here(const std::string& service, const std::string& user);

// One process for each entry (the users' names). All are forked and wait; then all are let go at once, after
// `meanwhile` was called. Logins that have not ended after a minute are killed. In the order of the entries.
class StormAtOnce {
public:
    StormAtOnce(const std::string& service, const std::vector<std::string>& users);
    ~StormAtOnce();
    StormAtOnce(const StormAtOnce&) = delete;
    StormAtOnce& operator=(const StormAtOnce&) = delete;

    void let_go();
    [[nodiscard]] std::vector<StormLogin> wait();

private:
    std::vector<pid_t> pids_;
    int gate_ = -1;     // closed: all may go
    int results_ = -1;
};

// "n=500 median=1.2 99%=3.4 max=5.6 ms"
[[nodiscard]] std::string distribution(std::vector<double> times_ms);

}  // namespace slurm_adopt::e2e
