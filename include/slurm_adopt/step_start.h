// SPDX-License-Identifier: GPL-2.0-or-later
// When an extern step began on this node.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "slurm_adopt/discovery.h"
#include "slurm_adopt/stepd_session.h"

namespace slurm_adopt {

// For each session, nanoseconds since the epoch: the mtime of the step's step_extern cgroup directory. None where that
// cannot be had for every one of them, so that like is compared with like.
[[nodiscard]] std::optional<std::vector<std::int64_t>> step_starts(const Roots& roots, const std::vector<StepdSession>& sessions);

// The next best: when the sockets were made.
[[nodiscard]] std::vector<std::int64_t> socket_starts(const std::vector<StepdSession>& sessions);

}  // namespace slurm_adopt
