// SPDX-License-Identifier: GPL-2.0-or-later
// Where a new token goes: all of it, or none.
#pragma once

#include <string>
#include <string_view>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

// A new file of mode 0600 in the place of `path`, at once and whole; a file that was there is replaced, not written to. It
// is made beside it under another name (O_EXCL) and renamed, so nobody else ever has it open. Only a regular file is
// replaced. On an Error nothing has changed.
[[nodiscard]] Result<Done> write_private_file(const std::string& path, std::string_view text);

// Everything to stdout. Descriptor 1 has to be open: see is_open().
[[nodiscard]] Result<Done> write_stdout(std::string_view text);

// False where the caller has closed it: the next file that is opened would take its place, and get what is not for it.
[[nodiscard]] bool is_open(int fd);

}  // namespace slurm_adopt::tool
