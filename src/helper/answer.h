// SPDX-License-Identifier: GPL-2.0-or-later
// The questions, answered.
#pragma once

#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::helper {

// Which job the source node's slurmd names. Uses libslurm, which may end the process.
[[nodiscard]] helper_wire::WhoisReply answer(const helper_wire::WhoisRequest& request);

// The jobs that slurmctld has on a node. Uses libslurm, which may end the process.
[[nodiscard]] helper_wire::JobsReply answer(const helper_wire::JobsRequest& request);

// One of a user's jobs, as slurmctld knows it. Uses libslurm, which may end the process.
[[nodiscard]] helper_wire::JobReply answer(const helper_wire::JobRequest& request);

// The mtime of the step_extern directory of each slurmstepd, 0 where it cannot be had.
[[nodiscard]] helper_wire::TimesReply answer(const helper_wire::TimesRequest& request);

// What slurm.conf says. Uses libslurm, which may end the process.
[[nodiscard]] helper_wire::ConfigReply answer(const helper_wire::ConfigRequest& request);

}  // namespace slurm_adopt::helper
