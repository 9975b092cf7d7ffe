// SPDX-License-Identifier: GPL-2.0-or-later
// Runs slurm-adopt-helper as the module does, or as it must not be run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::test {

[[nodiscard]] bool is_root();

// The environment that puts fake_slurm.cc in the place of libslurm.
[[nodiscard]] std::vector<std::string> with_fake_slurm(std::vector<std::string> more = {});

class HelperProcess {
public:
    // With a socketpair as descriptor 3, stdio on /dev/null but for stderr, which can be read. `in_child` runs before exec.
    explicit HelperProcess(std::vector<std::string> environment = {}, const std::function<void()>& in_child = {});
    HelperProcess(const HelperProcess&) = delete;
    HelperProcess& operator=(const HelperProcess&) = delete;
    ~HelperProcess();

    void send(const std::vector<std::byte>& bytes) const;
    void close_socket() { socket_.reset(); }
    // All that comes until the program ends or closes, at most for this long.
    [[nodiscard]] std::vector<std::byte> receive(std::chrono::milliseconds patience = std::chrono::seconds(20)) const;
    // "exited 0", "killed 9", "still running".
    [[nodiscard]] std::string end(std::chrono::milliseconds patience = std::chrono::seconds(20));
    [[nodiscard]] std::string error_output() const;
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_ = -1;
    Fd socket_;
    Fd errors_;
};

// Runs the program with these arguments, descriptor 3 as `prepare` leaves it (closed if it does nothing), and returns
// "exited N" and what it printed.
struct Outcome {
    std::string end;
    std::string output;
    std::string errors;
};
[[nodiscard]] Outcome run_by_hand(const std::vector<std::string>& arguments, const std::function<void()>& prepare = {});

// One question and its answer; a failure of the test where there is none.
template <class Reply, class Request>
[[nodiscard]] Reply ask(helper_wire::Verb verb, const Request& request, const std::vector<std::string>& environment,
                        std::uint32_t log_level = 9);

}  // namespace slurm_adopt::test
