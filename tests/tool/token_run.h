// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt token as a process of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace slurm_adopt::token_test {

struct Call {
    std::vector<std::string> arguments;        // behind "slurm-adopt token"
    std::optional<std::string> input = "";     // none: stdin is closed
    std::optional<std::string> variable = {};  // SLURM_JWT; the environment holds nothing else
    std::string stdout_file = {};              // instead of a pipe; "closed": none
    bool as_nobody = false;
    long largest_file = -1;  // bytes; what is written beyond fails, as on a full disk
};

struct Ended {
    int status = -1;  // 128 + the signal where one has killed it
    std::string out;
    std::string err;
};

[[nodiscard]] Ended run(const Call& what);

}  // namespace slurm_adopt::token_test
