// SPDX-License-Identifier: GPL-2.0-or-later
// What the plugin takes from the Slurm program that has loaded it.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace slurm_adopt::cred_ed25519 {

void log_error(const char* line);
void log_info(const char* line);

// SlurmUser of slurm.conf.
[[nodiscard]] uid_t slurm_user();

// Memory that Slurm frees with its own xfree(); null where there is none.
[[nodiscard]] char* slurm_memory(std::size_t size);

}  // namespace slurm_adopt::cred_ed25519
