// SPDX-License-Identifier: GPL-2.0-or-later
// Further sshds beside the cluster's, each with an authentication method of its own, and clients that use it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "process.h"
#include "processes.h"

namespace slurm_adopt::e2e {

// One way to authenticate: what sshd is told, what the client is told, and the PAM lines that ask.
struct Method {
    std::string name;
    std::vector<std::pair<std::string, std::string>> server;  // of sshd_config
    std::vector<std::string> client;                          // -o
    std::vector<std::string> auth;                            // of the stack
};

// keyboard-interactive asks twice, for a password and a code: a module of the tests' own compares.
[[nodiscard]] const std::vector<Method>& methods();
[[nodiscard]] const Method& method(const std::string& name);

// The cluster's users, host key and PAM service; the settings replace those of the cluster's sshd_config.
// Ended with its connections when this goes out of scope.
class Sshd {
public:
    explicit Sshd(const Method& method);
    ~Sshd();
    Sshd(const Sshd&) = delete;
    Sshd& operator=(const Sshd&) = delete;

    // All processes of all its connections, without the listener.
    std::vector<Process> connections() const { return descendants(listener_->pid()); }
    std::vector<Process> connections_with(const std::string& name) const { return descendants_with(name, listener_->pid()); }
    std::vector<Process> listener() const { return tree(listener_->pid()); }  // the first, and its connections
    bool wait_until_idle() const;

    // PROGRAM (ssh, scp, sftp) as a client of this sshd that authenticates by its method, with the right answers.
    Command client(const std::string& program, const std::vector<std::string>& arguments) const;

private:
    const Method& method_;
    std::uint16_t port_;
    std::unique_ptr<Background> listener_;
};

// Answers what is asked for, by SSH_ASKPASS. `code`: the answer to the second question.
void answer_prompts(Command& command, const std::string& code);

}  // namespace slurm_adopt::e2e
