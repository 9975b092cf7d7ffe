// SPDX-License-Identifier: GPL-2.0-or-later
// Which line of a service's PAM stack loads the module in the account phase, and with which arguments.
#pragma once

#include <string>
#include <vector>

#include "pam_stack/stack.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct FoundStack {
    std::string file;                    // where the search began
    bool is_other = false;               // the service has no file: "other" is its stack
    std::vector<pam_stack::Line> lines;  // the account lines that load the module, in libpam's order
};

// By the service's name, or "other" where it has no file. Errors: pam_stack/stack.h.
[[nodiscard]] Result<FoundStack> find_account_lines(const pam_stack::Directories& directories, const std::string& service);

// In this file; what it includes is looked for in `directories`.
[[nodiscard]] Result<FoundStack> find_account_lines_in(const pam_stack::Directories& directories, const std::string& file);

}  // namespace slurm_adopt::tool
