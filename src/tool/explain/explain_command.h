// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt explain USER: what the module would do with a login of the user's now, and why. See doc/man/explain.8.in.
#pragma once

#include "command.h"

namespace slurm_adopt::tool {

void add_explain_command(CLI::App& app, Context& context);

}  // namespace slurm_adopt::tool
