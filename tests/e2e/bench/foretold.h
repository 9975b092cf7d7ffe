// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt explain beside the logins of all tests: asked just before one, it has to foretell what the login comes to.
#pragma once

#include <string>
#include <vector>

#include "cluster.h"

namespace slurm_adopt::e2e {

struct Login;

class Foretold {
public:
    // Asks explain, where the service has one account line with our module; `wrapper` as the login's own.
    Foretold(const std::string& service, const std::string& user, const std::vector<std::string>& wrapper);
    // Fails the running test where the login came to something else: the decision with its reason, jobs and source by the
    // log, the job the process is in, what the user was told.
    void expect(const Login& login) const;
    // The same by what is seen of an ssh session: the job whose step it is in; 0 when it is in none, -1 when refused.
    void expect_session(int job) const;

private:
    bool asked_ = false;
    std::string user_;
    std::string explained_;  // JSON
    int exit_code_ = -1;
    LogMark mark_;
};

// While this lives, no login of this thread's is explained before: the node is not the same for the second who asks.
class NotForetold {
public:
    explicit NotForetold(const char* reason);
    ~NotForetold();
    NotForetold(const NotForetold&) = delete;
    NotForetold& operator=(const NotForetold&) = delete;
};

// What is compared of two decision lines: the keys that do not tell how and when it was asked.
[[nodiscard]] std::string decided(const std::string& line);
// What our module has told: pam_debug, in the same stack, tells its own result.
[[nodiscard]] std::string without_pam_debug(const std::string& messages);

}  // namespace slurm_adopt::e2e
