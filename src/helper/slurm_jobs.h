// SPDX-License-Identifier: GPL-2.0-or-later
// The jobs of slurmctld, by libslurm.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::helper {

struct ControllerJobs {
    helper_wire::JobsStatus status = helper_wire::JobsStatus::failed;
    std::string error;                            // with any status but answered: what libslurm says
    std::vector<helper_wire::ControllerJob> jobs; // with answered: those that have one of the nodes and have not ended
};

// Asks slurmctld for the jobs of a user, or for everybody's. load_slurm_conf() comes first. Waits as long as libslurm does.
[[nodiscard]] ControllerJobs jobs_on_nodes(std::optional<uid_t> uid, const std::vector<std::string>& nodes);

struct ControllerJobDetails {
    helper_wire::JobReply reply;
    std::string error;  // with any status but answered: what libslurm says
};

// Asks slurmctld for one job of a user's. As above.
[[nodiscard]] ControllerJobDetails job_of_user(std::uint32_t job_id, uid_t uid);

}  // namespace slurm_adopt::helper
