// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a PAM module can be loaded, tried where it may do harm to nobody.
#pragma once

#include <string>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct Phases {
    bool account = false;
    bool session = false;
};

// Loads the file in a process of its own, killed at the deadline. ErrorCode::malformed: dlopen(3) says why not;
// ErrorCode::closed: the file ended that process, as one that was cut off does; ErrorCode::timed_out.
[[nodiscard]] Result<Phases> phases_of(const std::string& file, Deadline deadline);

}  // namespace slurm_adopt::tool
