// SPDX-License-Identifier: GPL-2.0-or-later
// Dozens or hundreds of jobs at once.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace slurm_adopt::e2e {

// Batch jobs that sleep, so many for each user. All of their extern steps run when it is made; all have ended when it is gone.
class ManyJobs {
public:
    explicit ManyJobs(const std::vector<std::pair<std::string, int>>& counts);
    ~ManyJobs();
    ManyJobs(const ManyJobs&) = delete;
    ManyJobs& operator=(const ManyJobs&) = delete;

    // By slurmctld: the user of each job's number on the node.
    [[nodiscard]] const std::map<std::uint32_t, std::string>& users() const { return users_; }
    [[nodiscard]] std::size_t number_of(const std::string& user) const;
    // The slurmstepds of the extern steps of a user's jobs.
    [[nodiscard]] std::vector<pid_t> stepds(const std::string& user) const;

private:
    std::map<std::uint32_t, std::string> users_;
};

// All jobs of these users end; waits until the node has no extern step of theirs. False: not within two minutes.
[[nodiscard]] bool end_jobs_of(const std::vector<std::string>& users);

// The jobs that slurmctld knows in these states ("R", "all" ...), each with its user. Those that have ended for some minutes.
[[nodiscard]] std::map<std::uint32_t, std::string> jobs_in_states(const std::string& states);

}  // namespace slurm_adopt::e2e
