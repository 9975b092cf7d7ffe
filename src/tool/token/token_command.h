// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt token mint|show|verify: Slurm's JSON Web Tokens.
#pragma once

#include "command.h"

namespace slurm_adopt::tool {

// `context` has to outlive `app`.
void add_token_command(CLI::App& app, Context& context);

}  // namespace slurm_adopt::tool
