// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt list: the jobs on this node, and the logins in them. See doc/man/explain.8.in.
#pragma once

#include "command.h"

namespace slurm_adopt::tool {

void add_list_command(CLI::App& app, Context& context);

}  // namespace slurm_adopt::tool
