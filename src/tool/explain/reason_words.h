// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

#include "slurm_adopt/reason.h"

namespace slurm_adopt::tool {

// The reason behind a `reason=` code, as part of a sentence: "the user has no job on this node".
[[nodiscard]] std::string_view words_of(Reason reason);

}  // namespace slurm_adopt::tool
