// SPDX-License-Identifier: GPL-2.0-or-later
// What has to be there before libslurm is let loose.
#pragma once

#include "slurm_adopt/result.h"

namespace slurm_adopt::helper {

// An error where a slurm.conf was named (SLURM_CONF) that cannot be read. libslurm would try it for a whole minute.
[[nodiscard]] Result<Done> check_slurm_conf();

}  // namespace slurm_adopt::helper
