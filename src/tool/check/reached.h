// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the first of our lines in a stack is run for everybody.
#pragma once

#include <string>

#include "check/checks.h"

namespace slurm_adopt::tool {

// A line above it that ends the phase for some users, or jumps over it: FAIL where a shared file has it, or where it lets
// in whose password has expired, because nobody meant that; WARN where the service's own file has it. Needs a line of ours.
[[nodiscard]] Finding reached(const OurStack& ours, pam_stack::Type type);

// "FILE:LINE: 'account sufficient pam_localuser.so'"
[[nodiscard]] std::string where(const pam_stack::Line& line);

}  // namespace slurm_adopt::tool
