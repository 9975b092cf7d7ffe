// SPDX-License-Identifier: GPL-2.0-or-later
// Which line of a service's PAM stack loads the module in the account phase, and with which arguments: pam.d(5), as
// Linux-PAM 1.4 ... 1.7 reads it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct PamLine {
    std::string type;            // "account", in lower case; "@include" with the file in `module`
    bool optional_file = false;  // "-account": a module that is not there is not logged
    std::string control;         // as it is written: "required", "[success=1 default=die]", "include", "substack"
    std::string module;          // or the file that is included
    std::vector<std::string> arguments;

    friend bool operator==(const PamLine&, const PamLine&) = default;
};

// One logical line, comments and continuations undone; none where nothing is on it, or not enough to be one.
[[nodiscard]] std::optional<PamLine> parse_pam_line(std::string_view text);

struct NumberedLine {
    std::size_t number = 0;  // of its first line in the file, from 1
    PamLine line;
};

// All lines of a file's text.
[[nodiscard]] std::vector<NumberedLine> parse_pam_file(std::string_view text);

// Where the stack's account lines are looked for: the directories in libpam's order, the first that has the file counts.
struct PamDirectories {
    std::vector<std::string> list = {"/etc/pam.d", "/usr/lib/pam.d"};
};

struct FoundLine {
    std::string file;
    std::size_t number = 0;
    PamLine line;
};

struct FoundStack {
    std::string file;              // where the search began
    bool is_other = false;         // the service has no file: "other" is its stack
    std::vector<FoundLine> lines;  // the account lines that load the module, in libpam's order
};

// By the service's name, or "other" where it has no file. ErrorCode::malformed: files that include each other for ever;
// ErrorCode::system: one cannot be read, errno_value says why.
[[nodiscard]] Result<FoundStack> find_account_lines(const PamDirectories& directories, const std::string& service);

// In this file; what it includes is looked for in `directories`.
[[nodiscard]] Result<FoundStack> find_account_lines_in(const PamDirectories& directories, const std::string& file);

}  // namespace slurm_adopt::tool
