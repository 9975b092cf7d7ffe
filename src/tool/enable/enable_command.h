// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt enable, slurm-adopt disable: the module's two lines in a PAM service file.
#pragma once

#include "command.h"

namespace slurm_adopt::tool {

void add_enable_command(CLI::App& app, Context& context);  // both commands

}  // namespace slurm_adopt::tool
