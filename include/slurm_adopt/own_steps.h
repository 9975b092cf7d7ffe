// SPDX-License-Identifier: GPL-2.0-or-later
// The extern steps of one user on this machine: a fast yes and a careful no.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/result.h"
#include "slurm_adopt/stepd_session.h"

namespace slurm_adopt {

struct OwnSteps {
    std::vector<StepdSession> sessions;   // each has said that the job is the uid's
    std::vector<std::uint32_t> ending;    // jobs of the uid's whose step ends: no login belongs there
    std::size_t silent = 0;               // steps that are the uid's by all evidence, but did not answer, or not so that they could be used
    std::vector<std::string> warnings;    // for the log, one sentence each
};

// Where the kernel's tree (cgroup v1) names jobs of the uid and their sockets are in `spool_dir`, or in a usual one
// (Roots::spool_dirs), only these are asked, and nothing is listed. Else, and where none of them answers, the sockets are
// listed. Steps that evidence gives to somebody else are not asked if one of ours answers. Where none does, the list is
// read once more and everybody is asked whom the kernel does not show below another user's uid.
// An error means that the list of steps could not be had.
[[nodiscard]] Result<OwnSteps> find_own_steps(const Roots& roots, const std::string& spool_dir, const std::string& nodename,
                                              uid_t uid, Deadline deadline);

// Whose job has an extern step of this id here; none if there is no such step, or it does not answer at once.
[[nodiscard]] std::optional<uid_t> owner_of_job(const Roots& roots, const std::string& spool_dir, const std::string& nodename,
                                                std::uint32_t job_id, Deadline deadline);

}  // namespace slurm_adopt
