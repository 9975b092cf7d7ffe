// SPDX-License-Identifier: GPL-2.0-or-later
// One PAM service file (pam.d(5)): its lines with their meaning and their place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pam_stack/control.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::pam_stack {

enum class Type { auth, account, password, session };

[[nodiscard]] std::string_view type_name(Type type);

// libpam looks for lower case only (pam.d(5)), and in no other directory.
[[nodiscard]] bool is_service_name(std::string_view name);

enum class LineKind {
    module,
    include,    // the lines of that type of another file, as if they stood here
    substack,   // the same, but what ends the stack there ends only the substack
    at_include  // "@include" (Debian): all lines of another file
};

struct Place {
    std::string file;
    unsigned line = 0;  // from 1

    [[nodiscard]] std::string text() const { return file + ':' + std::to_string(line); }
};

struct Line {
    LineKind kind = LineKind::module;
    Place place;
    unsigned last_line = 0;              // of a line that is continued; else place.line
    std::optional<Type> type;            // none for @include
    bool silent = false;                 // "-type": a missing module is not logged
    Control control;                     // of a module
    std::string target;                  // the module, or the file that is included, as written
    std::vector<std::string> arguments;  // of a module, as it gets them

    [[nodiscard]] std::string text() const;  // in short, for people: "account sufficient pam_localuser.so"
};

// Strict: what libpam would take for a line that always fails is an error, ErrorCode::malformed with
// "NAME:LINE: ...". `name` is for the places and errors.
[[nodiscard]] Result<std::vector<Line>> parse_service_file(std::string_view text, const std::string& name);

// The last part of a module's path: "pam_unix.so".
[[nodiscard]] std::string_view module_name(const Line& line);

}  // namespace slurm_adopt::pam_stack
