// SPDX-License-Identifier: GPL-2.0-or-later
// Where a token is read from. Never the command line: every user of a machine sees that of every process.
#pragma once

#include <string>
#include <string_view>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// `input`: a regular file, "-" for stdin, or empty for the environment variable SLURM_JWT. Blanks around the token and
// scontrol's "SLURM_JWT=" in front of it are taken off; it is not looked at otherwise.
// ErrorCode::malformed: there is none. ErrorCode::too_large. No Error says anything of what was read.
[[nodiscard]] Result<std::string> read_token(const std::string& input);

// True if somebody has put a token where the name of a file belongs. It must not be repeated then.
[[nodiscard]] bool looks_like_token(std::string_view text);

}  // namespace slurm_adopt::tool
