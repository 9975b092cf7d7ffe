// SPDX-License-Identifier: GPL-2.0-or-later
// Which of a user's jobs has a login from the same client already (option sticky=), told by the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "slurm_adopt/connection.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/monitor.h"
#include "slurm_adopt/result.h"
#include "slurm_adopt/stepd_session.h"

namespace slurm_adopt {

// The job whose extern step has the monitor of another connection from the client of `own` (monitor.h); of several the one
// whose monitor began last. None where there is no such monitor. An error where that cannot be told: not before the
// deadline, more processes in these steps than are worth looking at, or a failure of monitor_start().
[[nodiscard]] Result<std::optional<std::uint32_t>> find_sticky_job(const Roots& roots,
                                                                   const std::vector<StepdSession>& sessions,
                                                                   const Connection& own, const IsSshd& is_sshd,
                                                                   Deadline deadline);

}  // namespace slurm_adopt
