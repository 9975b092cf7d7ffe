// SPDX-License-Identifier: GPL-2.0-or-later
// A forked child that hands back lines of text: an adoption moves the process that asks for it, and a crash or a hang
// of the module has to be seen and not shared.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace slurm_adopt::test {

struct ChildResult {
    std::vector<std::string> lines;
    std::string trouble;  // empty: it ended as it should
};

[[nodiscard]] ChildResult in_child(const std::function<std::vector<std::string>()>& work);

}  // namespace slurm_adopt::test
