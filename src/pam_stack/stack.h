// SPDX-License-Identifier: GPL-2.0-or-later
// The stack of a service: its lines of one type in the order in which libpam runs them, include chains resolved.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pam_stack/service_file.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::pam_stack {

// Where service files are: the first directory that has one counts (Linux-PAM 1.4 and later).
struct Directories {
    std::vector<std::string> paths = {"/etc/pam.d", "/usr/lib/pam.d"};
};

// The file of a service or an include; absolute names stand for themselves. An error with ENOENT where there is none.
[[nodiscard]] Result<std::string> find_service_file(const Directories& directories, const std::string& name);

struct Module {
    Line line;
    unsigned substack = 0;          // how deep in substacks; 0: in the stack itself
    std::vector<Line> included_by;  // the include lines that lead here, outermost first; empty in the service's own file
    std::size_t top = 0;            // index of the line of the service's own file that this is, or that includes it
    // As jumps count: every line of the stack itself, and a substack, also an empty one, as one.
    std::size_t position = 0;
};

// More than any service has. Two includes of the next file in each file of a chain come to 2^16 files, and libpam would
// read them all.
inline constexpr std::size_t most_lines = 1024;

struct Stack {
    std::vector<Line> own;           // the lines of the service's own file that count for this type: typed ones and @include
    std::vector<Module> modules;     // in the order of running
    std::vector<std::string> files;  // all files read, the service's own first
};

// Errors have the place: a line that does not parse, an included file that cannot be read, a chain of includes that
// comes back to itself or is deeper than libpam allows (16), more lines than most_lines, includes among them.
[[nodiscard]] Result<Stack> read_stack(const Directories& directories, const std::string& service, Type type);

// The same with another text in place of the service's own file, which is not read.
[[nodiscard]] Result<Stack> resolve_stack(const Directories& directories, const std::string& file, std::string_view text,
                                          Type type);

// What a stack has of a module, by the last part of its path: "pam_slurm_adopt.so".
[[nodiscard]] std::vector<Module> find_modules(const Stack& stack, std::string_view name);

}  // namespace slurm_adopt::pam_stack
