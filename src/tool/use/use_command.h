// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt use [JOBID | --clear]: which of several jobs one's logins go to (job_choice=file). See doc/man/use.8.in.
#pragma once

#include "command.h"

namespace slurm_adopt::tool {

void add_use_command(CLI::App& app, Context& context);

}  // namespace slurm_adopt::tool
