// SPDX-License-Identifier: GPL-2.0-or-later
// The lines of all services that load the module: what a package looks at before it puts the module's file in the place of
// Slurm's, and before it takes it away.
#pragma once

#include <string>
#include <vector>

#include "pam_stack/stack.h"

namespace slurm_adopt::pam_lines {

struct LoadedLine {
    pam_stack::Line line;
    std::vector<std::string> wrong_options;  // as the module would log them; empty: it takes them all
};

struct LoadedLines {
    std::vector<LoadedLine> lines;  // each once, whatever includes it
    std::vector<std::string>
        unreadable;  // with the place: a service that names the module, and what is wrong with its stack
};

// Of every service file but those that dpkg, ucf or an editor has left beside one.
[[nodiscard]] LoadedLines find_loaded_lines(const pam_stack::Directories& directories);

// The lines that would refuse everybody, root too, if the file `ours` were gone. `other` is where libpam finds a module of
// that name then, if there is one: Slurm's, which has no session phase.
[[nodiscard]] std::vector<LoadedLine> lines_without(const LoadedLines& loaded, const std::string& ours,
                                                    const std::string& other);

}  // namespace slurm_adopt::pam_lines
