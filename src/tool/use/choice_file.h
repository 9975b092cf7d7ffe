// SPDX-License-Identifier: GPL-2.0-or-later
// Writing the file in which a user names a job (slurm_adopt/job_file.h): the old one or the new one is there at every moment.
#pragma once

#include <cstdint>
#include <string>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// Makes HOME/.config and the directory in it where they are missing, for the user alone. Refused where a symbolic link or
// something that is no regular file is in the place of the directory or the file.
[[nodiscard]] Result<Done> write_choice(const std::string& home, std::uint32_t job_id);

// Removes the file, and a link or whatever else is in its place but a directory. True if there was one.
[[nodiscard]] Result<bool> clear_choice(const std::string& home);

}  // namespace slurm_adopt::tool
