// SPDX-License-Identifier: GPL-2.0-or-later
// A conversation with one slurmstepd, after the handshake.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "slurm_adopt/discovery.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/stepd_place.h"

namespace slurm_adopt {

// Exists only where the peer is root's, has answered the handshake, says that the job is ours, and that the step is not ending.
struct StepdSession {
    Candidate candidate;
    Fd socket;
    std::int32_t protocol_version = 0;  // the slurmstepd's own
    pid_t pid = 0;                      // the slurmstepd's; 0 where it lives in a pid namespace out of our sight
    std::optional<StepdPlace> place{};  // where it was read already, while waiting for the answer

    [[nodiscard]] std::uint32_t job_id() const { return candidate.socket.job_id; }
};

}  // namespace slurm_adopt
