// SPDX-License-Identifier: GPL-2.0-or-later
// Programs run by the end-to-end tests: with a time limit, their output captured, killed with their group.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace slurm_adopt::e2e {

struct Command {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> environment = {};  // added to ours
    std::chrono::seconds timeout = std::chrono::seconds{30};
};

struct Finished {
    int code = -1;  // exit code; 128 + signal; 124 when it ran out of time
    std::string out;
    std::string err;
    std::chrono::milliseconds took{0};

    bool ok() const { return code == 0; }
};

[[nodiscard]] Finished run(const Command& command);

// Runs it as a user of the cluster, with a login's groups and home.
[[nodiscard]] Command as_user(const std::string& user, std::vector<std::string> argv);

// A program that runs beside the test. Its process group is killed when this goes out of scope.
class Background {
public:
    explicit Background(const Command& command);
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    pid_t pid() const { return pid_; }
    bool running();
    // What it has written to standard output so far; waits until that contains `text`. False: not in time.
    [[nodiscard]] bool says(const std::string& text, std::chrono::seconds limit = std::chrono::seconds{20});
    std::string output();
    // Writes to its standard input.
    void send(const std::string& text);
    // Closes its standard input.
    void end_input();
    [[nodiscard]] Finished wait(std::chrono::seconds limit = std::chrono::seconds{20});

private:
    void drain(std::chrono::milliseconds limit);
    bool reap(bool block);

    std::chrono::steady_clock::time_point started_;
    pid_t pid_ = -1;
    int input_ = -1;
    int out_ = -1;
    int err_ = -1;
    bool reaped_ = false;
    Finished finished_;
};

// Polls until `condition` holds. False: not within `limit`.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds{20})
{
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        if (condition()) return true;
        if (std::chrono::steady_clock::now() >= end) return false;
        ::usleep(2'000);
    }
}

}  // namespace slurm_adopt::e2e
