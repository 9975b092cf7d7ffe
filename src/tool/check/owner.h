// SPDX-License-Identifier: GPL-2.0-or-later
// Who can change a file.
#pragma once

#include <string>

#include "check/finding.h"

namespace slurm_adopt::tool {

// OK where only root can change the file, or put another in its place in its directory; links are followed. `lost` is the
// fix where it is not there.
[[nodiscard]] Finding roots_alone(const std::string& file, const std::string& lost);

}  // namespace slurm_adopt::tool
