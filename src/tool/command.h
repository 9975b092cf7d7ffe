// SPDX-License-Identifier: GPL-2.0-or-later
// What every command of slurm-adopt has in common: its exit code, and where and how it speaks.
#pragma once

#include "output.h"

namespace CLI {
class App;  // whole in <CLI/CLI.hpp>, which only what adds options needs
}

namespace slurm_adopt::tool {

// Exit codes, the same for every command and documented in slurm-adopt(8).
enum class Exit : int {
    yes = 0,       // done; the answer is yes: all is well, would be let in, the token is good
    no = 1,        // the answer is no: something FAILs, would be refused, the token is not good
    usage = 2,     // the command line is wrong; nothing was done
    impossible = 3 // could not be done or found out: permission, a file, the kernel; the message says what to do
};

// What a command is given, and gives back. A command adds its own subcommand and options to the CLI::App and sets `exit`
// in its callback.
struct Context {
    Output output;
    Exit exit = Exit::yes;
};

}  // namespace slurm_adopt::tool
