// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt check: whether this node is set up right.
#pragma once

#include "check/node.h"
#include "command.h"

namespace slurm_adopt::tool {

void add_check_command(CLI::App& app, Context& context);

// Runs all checks and shows what they found. Exit::no where one FAILs. Changes nothing.
[[nodiscard]] Exit run_checks(const Node& node, const Output& output);

}  // namespace slurm_adopt::tool
