// SPDX-License-Identifier: GPL-2.0-or-later
// Jobs of the cluster's users.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "process.h"

namespace slurm_adopt::e2e {

// A job of a user's. Ended, and its extern step waited for, when this goes out of scope.
class Job {
public:
    // An allocation without a task, as salloc makes it; its extern step runs when this returns.
    [[nodiscard]] static Job allocate(const std::string& user, const std::vector<std::string>& options = {});
    // The same, but returns as soon as it is granted: its prolog may run still.
    [[nodiscard]] static Job grant(const std::string& user, const std::vector<std::string>& options = {});
    // The same, but returns as soon as the extern step listens: it may not be in its cgroup yet.
    [[nodiscard]] static Job allocate_in_haste(const std::string& user, const std::vector<std::string>& options = {});
    // A batch job that sleeps, or runs `script` first; its extern step runs when this returns.
    [[nodiscard]] static Job batch(const std::string& user, const std::string& script = {}, const std::vector<std::string>& options = {});
    // A batch job that is held: it runs after release().
    [[nodiscard]] static Job held(const std::string& user);

    Job(Job&& other) noexcept : id_(std::exchange(other.id_, 0)), salloc_(std::move(other.salloc_)) {}
    Job& operator=(Job&&) = delete;
    ~Job() { cancel(); }

    std::uint32_t id() const { return id_; }
    std::string id_text() const { return std::to_string(id_); }
    std::string socket() const;  // the extern step's
    pid_t stepd() const;         // the extern step's slurmstepd; 0: none

    void release();         // and wait for the extern step
    void request_cancel();  // only asks
    void cancel();          // asks, and waits until the extern step is gone

private:
    explicit Job(std::uint32_t id) : id_(id) {}
    void wait_for_socket() const;
    void wait_for_step() const;  // in its cgroup

    std::uint32_t id_ = 0;
    std::unique_ptr<Background> salloc_;  // still waiting for what nobody needs: killed with the job
};

// The job whose extern step the process is in, by the text of its /proc/PID/cgroup; 0: in none.
[[nodiscard]] std::uint32_t job_in(const std::string& cgroup_text);

}  // namespace slurm_adopt::e2e
