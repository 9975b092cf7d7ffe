// SPDX-License-Identifier: GPL-2.0-or-later
// Words for what the controller knows.
#pragma once

#include <string_view>

#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::tool {

// "starting", "running" or "ending".
[[nodiscard]] std::string_view state_word(const helper_wire::ControllerJob& job);

}  // namespace slurm_adopt::tool
