// SPDX-License-Identifier: GPL-2.0-or-later
// What libslurm says by itself. It writes to stderr, and where it finds an error fatal it ends the process with exit();
// both are caught here, so that the module is told what happened and the log says why.
#pragma once

#include <functional>

namespace slurm_adopt::helper {

// From now on stderr is a file in memory.
void catch_slurm_output();

// What has been said so far goes to our log: errors as errors, the rest as debug. Once.
void log_slurm_output();

// `last_act` is run, after the log, when something calls exit() while we are inside libslurm; then the process ends
// with the exit code that it returns. Only one is ever set; call it before libslurm is used.
void at_exit_of_slurm(std::function<int()> last_act);

}  // namespace slurm_adopt::helper
