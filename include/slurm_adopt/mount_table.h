// SPDX-License-Identifier: GPL-2.0-or-later
// Finding a cgroup's directory in the file system: /proc/<pid>/mountinfo (proc_pid_mountinfo(5)).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "slurm_adopt/cgroup_path.h"

namespace slurm_adopt {

// The directory of `cgroup` in the file system, by the text of a mountinfo file; none where its hierarchy is not
// mounted, or only a part that does not contain it. Octal escapes of mountinfo (\040 for a space) are undone.
[[nodiscard]] std::optional<std::string> cgroup_directory(std::string_view mountinfo, const CgroupEntry& cgroup);

}  // namespace slurm_adopt
