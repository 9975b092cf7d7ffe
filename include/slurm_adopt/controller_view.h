// SPDX-License-Identifier: GPL-2.0-or-later
// What the controller's word means for a login of a user who has no extern step on this node. Pure.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/reason.h"

namespace slurm_adopt {

// slurmctld says "Prolog" until slurmd has told it that the prolog is over; then slurmd starts the extern step's slurmstepd,
// which takes some hundredths of a second (22.05), and longer on a busy node. A job that has had no prolog runs from its
// first second on.
inline constexpr std::chrono::seconds time_to_launch{5};
// For a job whose prolog has taken longer than that.
inline constexpr std::chrono::seconds time_after_prolog{1};

// What a login without an extern step is to expect.
struct Outlook {
    Reason reason = Reason::no_jobs;  // what it ends with if no step comes: no_jobs, job_starting or no_extern_step
    std::uint32_t job_id = 0;         // of the last two: the job
    std::chrono::seconds worth_waiting = std::chrono::seconds::max();  // at most, for a step to come

    friend bool operator==(const Outlook&, const Outlook&) = default;
};

inline constexpr Outlook nothing_comes{Reason::no_jobs, 0, std::chrono::seconds{0}};

// `jobs` is what the controller has on this node; none: it was not asked, or did not answer, and nothing is known.
// Jobs of others are passed over. A job that is starting comes before one that runs; of several it is the newest.
[[nodiscard]] Outlook outlook_of(const std::optional<std::span<const helper_wire::ControllerJob>>& jobs, uid_t uid);

}  // namespace slurm_adopt
