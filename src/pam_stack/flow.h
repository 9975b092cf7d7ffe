// SPDX-License-Identifier: GPL-2.0-or-later
// Which lines of a stack can keep libpam from running a later one (pam.conf(5)).
#pragma once

#include <cstddef>
#include <vector>

#include "pam_stack/stack.h"

namespace slurm_adopt::pam_stack {

// Where it succeeds, nothing below is run: "sufficient", or [success=done]. Not in a substack: there it ends only that.
[[nodiscard]] bool ends_the_phase(const Module& module);

// Where it says that the password has expired (account phase), nothing below is run: [new_authtok_reqd=done], as in Debian's
// common-account, and "sufficient". Who may choose a new password gets in then.
[[nodiscard]] bool ends_where_the_password_has_expired(const Module& module);

// Each module's number as jumps count them: every line of the stack itself, and a substack as one.
[[nodiscard]] std::vector<std::size_t> jump_positions(const Stack& stack);

// Indices of the lines above `index` that jump over it. `index` may be that of a line that is to be put in before the one
// that has it now.
[[nodiscard]] std::vector<std::size_t> jumps_over(const Stack& stack, std::size_t index);

}  // namespace slurm_adopt::pam_stack
