// SPDX-License-Identifier: GPL-2.0-or-later
// Logins: with real ssh, and with a program that drives libpam as sshd does and reports what it got.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "process.h"

namespace slurm_adopt::e2e {

// A file in the cluster's /etc/pam.d. Removed, or put back as it was, when this goes out of scope.
class Stack {
public:
    // The service that the tests' own logins use.
    explicit Stack(const std::vector<std::string>& lines) : Stack("e2e", lines) {}
    Stack(const std::string& name, const std::vector<std::string>& lines);
    ~Stack();
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

private:
    std::string path_;
    std::string before_;
    bool existed_ = false;
};

// "account required MODULE OPTIONS", for our module or another one.
[[nodiscard]] std::string account_line(const std::string& options, const std::string& module = {},
                                       const std::string& control = "required");

// sshd's own stack with these account lines.
[[nodiscard]] std::vector<std::string> sshd_stack(const std::vector<std::string>& account);

// What a login through libpam came to.
struct Login {
    int result = -1;  // of pam_acct_mgmt; PAM_IGNORE is told from PAM_SUCCESS by the stack of pam_login()
    int session = -1;  // of pam_open_session, in the same way; -1: not called
    std::string messages;
    std::map<std::string, std::string> environment;  // the PAM environment
    std::uint32_t job = 0;                           // the job whose extern step the process is in, by the kernel
    std::string cgroup;                              // its /proc/PID/cgroup, after the last phase
    std::string output;                              // of the command run after the login
    std::string error;
    std::chrono::milliseconds took{0};
    std::chrono::microseconds account_took{0};
};

// Runs the account phase of a stack that has only our module with these options.
// Its result is the module's own, PAM_IGNORE included. `then`: a command run by the process that logged in.
[[nodiscard]] Login pam_login(const std::string& user, const std::string& options, const std::string& then = {});

// The same by the service's stack as it is. `wrapper` is put before the program: strace, unshare ...
[[nodiscard]] Login pam_login_by(const std::string& service, const std::string& user, const std::vector<std::string>& wrapper = {},
                                 const std::string& then = {});
[[nodiscard]] Command login_command(const std::string& service, const std::string& user,
                                    const std::vector<std::string>& wrapper = {}, const std::string& then = {});
// Wrappers that take from a login the ways to list the listening sockets: netlink, /proc/net/unix, both.
extern const std::vector<std::string> without_netlink;
extern const std::vector<std::string> without_proc_net;
extern const std::vector<std::string> without_socket_lists;
[[nodiscard]] Login login_of(const Finished& finished);

// The account lines that let a process see its module's own result; for Stack.
[[nodiscard]] std::vector<std::string> transparent_stack(const std::string& options, const std::string& module = {});

// ssh USER@node COMMAND by key.
[[nodiscard]] Command ssh_command(const std::string& user, const std::string& command, const std::vector<std::string>& options = {});
[[nodiscard]] Finished ssh(const std::string& user, const std::string& command, const std::vector<std::string>& options = {});

// The job whose step an ssh session of the user's is in; 0 when it is in none, -1 when the login was refused.
[[nodiscard]] int ssh_job(const std::string& user);

}  // namespace slurm_adopt::e2e
