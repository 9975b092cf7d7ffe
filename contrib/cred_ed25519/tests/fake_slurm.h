// SPDX-License-Identifier: GPL-2.0-or-later
// The Slurm program that the plugin is loaded into, as far as the plugin sees it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace slurm_adopt::cred_test {

// What was logged since the last call: "error: ..." or "info: ...".
[[nodiscard]] std::vector<std::string> take_log();

void set_slurm_user(uid_t uid);
// Whether the next allocations answer null.
void fail_memory(bool fails);

// Slurm's own free: memory of another allocator ends the program.
void slurm_free(char* memory);
// What was given out and not freed.
[[nodiscard]] std::size_t slurm_allocations();

}  // namespace slurm_adopt::cred_test
