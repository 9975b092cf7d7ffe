// SPDX-License-Identifier: GPL-2.0-or-later
#include "ready.h"

#include <unistd.h>

#include "confine.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::helper {

Result<Done> check_slurm_conf()
{
    const auto path = slurm_conf_path();
    if (path && ::access(path->c_str(), R_OK) != 0) return system_error(printable(*path));
    return Done{};
}

}  // namespace slurm_adopt::helper
