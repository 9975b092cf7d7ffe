// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace slurm_adopt {

// This host's name up to the first dot (uname(2)), as slurmd takes it for NodeName; empty where it cannot be had.
[[nodiscard]] std::string short_host_name();

}  // namespace slurm_adopt
