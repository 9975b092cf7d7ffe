// SPDX-License-Identifier: GPL-2.0-or-later
// What a process uses, as /proc says, to be compared with what it used before.
#pragma once

#include <sys/types.h>

#include <string>

namespace slurm_adopt::e2e {

struct Usage {
    int descriptors = 0;
    int threads = 0;
    int children = 0;
    int mappings = 0;
    long resident_kb = 0;
    long private_dirty_kb = 0;
};

[[nodiscard]] Usage usage_of(pid_t pid);

// "descriptors 12 -> 12, threads 3 -> 3 ..."
[[nodiscard]] std::string describe(const Usage& before, const Usage& after);

}  // namespace slurm_adopt::e2e
