// SPDX-License-Identifier: GPL-2.0-or-later
// Asking many slurmstepds at once whose they are, and whether they are alive.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/stepd_session.h"

namespace slurm_adopt {

struct SilentStep {
    Candidate candidate;
    bool own_by_kernel = false;  // the slurmstepd's cgroup says that it is the uid's (cgroup v1 only)
};

struct UnusableStep {
    Candidate candidate;
    std::string why;
    bool ended = false;  // it closed the connection: most likely the step is ending
};

struct ProbeReport {
    std::vector<StepdSession> own;        // steps of the uid that are alive, ready for requests
    std::vector<Candidate> ending;        // steps of the uid that are ending, by their own word
    std::vector<std::string> untrusted;   // sockets whose listener is not root
    std::vector<SilentStep> silent;       // steps that did not answer
    std::vector<UnusableStep> unusable;   // steps that answered nonsense or could not be asked
};

// Once a step of ours is known, how long the others get after the last answer. A healthy slurmstepd answers
// within a millisecond; this is what somebody else's stuck one can cost.
inline constexpr std::chrono::milliseconds probe_grace{200};

// Asks all candidates together, a bounded number at a time. Returns when all have answered, when `deadline` has passed, or
// `probe_grace` after the last answer if a step of the uid is known or the silent ones are evidently hung or foreign.
[[nodiscard]] ProbeReport probe(const Roots& roots, std::vector<Candidate> candidates, uid_t uid, Deadline deadline);

// Asks one step whose it is; none if it does not say so by the deadline.
[[nodiscard]] std::optional<uid_t> ask_owner(const Candidate& candidate, Deadline deadline);

}  // namespace slurm_adopt
