// SPDX-License-Identifier: GPL-2.0-or-later
// All that the list command finds out, without the command line.
#pragma once

#include <string>

#include "report.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// `spool_dir` and `nodename` as the options of the module have them; empty: ask the kernel, any node.
[[nodiscard]] Result<JobList> list_jobs(const Roots& roots, const std::string& spool_dir, const std::string& nodename,
                                        Deadline deadline);

// Everybody's jobs on this node, asked for as the module would by these options; by RPC where they do not say.
[[nodiscard]] ControllerList ask_for_jobs(const Options& options);

}  // namespace slurm_adopt::tool
