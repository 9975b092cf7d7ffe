// SPDX-License-Identifier: GPL-2.0-or-later
// Reading whole files, at most so many bytes: of /proc, whose size is known only by reading them, and of root's.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// The whole file, at most `most` bytes: a longer one is ErrorCode::too_large, never a cut text.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t most);

// The same for a file that is open already, from its beginning; a file of /proc tells what is true by now. `name` is for
// the error.
[[nodiscard]] Result<std::string> read_open_file(const Fd& fd, const std::string& name, std::size_t most);

enum class Links { followed, refused };  // where the path's last part is a symbolic link

// A regular file of root's on which nobody else has any permission of `forbidden`; where somebody has, `advice` is what the
// error says. ErrorCode::untrusted: it is not.
[[nodiscard]] Result<std::string> read_own_file(const std::string& path, Links links, mode_t forbidden, const char* advice,
                                                std::size_t most);

// The same for what an administrator may write down and others may read.
[[nodiscard]] Result<std::string> read_site_file(const std::string& path, std::size_t most);

// /proc/<pid>/cgroup has a line per hierarchy, each at most PATH_MAX: far below this.
inline constexpr std::size_t longest_proc_cgroup = std::size_t{256} * 1024;

// <proc>/self/mountinfo; for mount_table.h.
[[nodiscard]] Result<std::string> read_mountinfo(const std::string& proc);

}  // namespace slurm_adopt
