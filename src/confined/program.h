// SPDX-License-Identifier: GPL-2.0-or-later
// From main() to the module's request: the same for every program that it starts.
#pragma once

#include <string>

#include "confine.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::helper {

struct Program {
    const char* name;
    const char* purpose;       // told to who starts it by hand
    std::string (*version)();  // with its libraries', for --version
    // Reads what follows the header, replies; the exit code (exchange.h). An exception is logged, and exit_failed.
    int (*serve)(const Module& module, const helper_wire::Header& header, Deadline deadline);
};

// Ends the process by _exit(): libraries have nothing to clean up any more, and their threads may hang in the resolver.
[[noreturn]] void run_program(const Program& program, int argc, char** argv);

}  // namespace slurm_adopt::helper
