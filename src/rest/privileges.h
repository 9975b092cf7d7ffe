// SPDX-License-Identifier: GPL-2.0-or-later
// From root to nobody, for good.
#pragma once

#include <sys/types.h>

#include "slurm_adopt/result.h"

namespace slurm_adopt::rest {

// No group, user or capability of root's is left, and no other process of nobody's may look into this one. It is still
// killed when the module's process, `module`, dies.
[[nodiscard]] Result<Done> become_nobody(pid_t module);

}  // namespace slurm_adopt::rest
