// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt, run in the cluster.
#pragma once

#include <string>
#include <vector>

#include "process.h"

namespace slurm_adopt::e2e {

// The program and these arguments; ssh's variables are not handed on.
[[nodiscard]] std::vector<std::string> tool_command(const std::vector<std::string>& arguments);

// Runs it as root. `wrapper` is put before the program.
[[nodiscard]] Finished tool(const std::vector<std::string>& arguments, const std::vector<std::string>& wrapper = {});

}  // namespace slurm_adopt::e2e
