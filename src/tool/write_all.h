// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// The whole text to a descriptor; `name` is for the error.
[[nodiscard]] Result<Done> write_all(int fd, std::string_view text, const std::string& name);

}  // namespace slurm_adopt::tool
