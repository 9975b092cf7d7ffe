// SPDX-License-Identifier: GPL-2.0-or-later
// What an edit changes, as `diff -u` shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slurm_adopt::tool {

// The lines of a unified diff with three lines of context, without newlines; empty where the texts are the same. For
// texts of some hundred lines: time and memory grow with the product of their lengths.
[[nodiscard]] std::vector<std::string> unified_diff(std::string_view before, std::string_view after,
                                                    const std::string& name);

}  // namespace slurm_adopt::tool
