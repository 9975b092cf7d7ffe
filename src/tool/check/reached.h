// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the first of our lines in a stack is run for everybody.
#pragma once

#include <string>

#include "check/checks.h"

namespace slurm_adopt::tool {

// A line above it that ends the phase for some users, or jumps over it: FAIL where a shared file has it, because there
// nobody meant our line; WARN where the service's own file has it. Needs a line of ours.
[[nodiscard]] Finding reached(const OurStack& ours, const std::string& type);

}  // namespace slurm_adopt::tool
