// SPDX-License-Identifier: GPL-2.0-or-later
// The questions to slurmrestd, answered.
#pragma once

#include <sys/types.h>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::rest {

// Reads what there is to read as root (token, key, CA file), and then asks as nobody, unless a unix socket is asked, which
// may be root's. What went wrong is in the log. `module` is the process that started us.
[[nodiscard]] helper_wire::JobsReply answer(const helper_wire::JobsRequest& request, pid_t module, Deadline deadline);

// The same about one job.
[[nodiscard]] helper_wire::JobReply answer(const helper_wire::JobRequest& request, pid_t module, Deadline deadline);

}  // namespace slurm_adopt::rest
