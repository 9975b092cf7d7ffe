// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the slurmd of other nodes can be reached from here.
#pragma once

#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_client.h"

namespace slurm_adopt::tool {

enum class Reach {
    connected,
    refused,       // the host is there, nothing listens
    no_answer,     // nothing came back until the deadline, or no way leads there
    unknown_name,  // NodeAddr has no address
};

// All at once, each in a process of its own: a name may be looked up by a resolver that hangs. A connection is closed as
// soon as it is there; nothing is sent.
[[nodiscard]] std::vector<Reach> reach(const std::vector<SlurmdPlace>& places, Deadline deadline);

}  // namespace slurm_adopt::tool
