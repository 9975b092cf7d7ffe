// SPDX-License-Identifier: GPL-2.0-or-later
// Asking another program.
#pragma once

#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct CommandOutput {
    int status = -1;   // exit code; -1: a signal ended it
    std::string text;  // stdout and stderr, at most 1 MiB
};

// Runs `command` (absolute path first) without a shell and with PATH as its only variable, stdin from /dev/null. Killed at
// the deadline: ErrorCode::timed_out.
[[nodiscard]] Result<CommandOutput> run_command(const std::vector<std::string>& command, Deadline deadline);

}  // namespace slurm_adopt::tool
