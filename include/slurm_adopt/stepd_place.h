// SPDX-License-Identifier: GPL-2.0-or-later
// Where a slurmstepd runs, told by the kernel: what has to be known before it is asked to adopt.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

struct StepdPlace {
    bool same_pid_namespace = false;           // a pid of ours means the same process there
    Result<std::vector<CgroupEntry>> cgroups;  // an error where there is no such process
};

[[nodiscard]] Result<std::vector<CgroupEntry>> cgroups_of(const Roots& roots, pid_t pid);
// By an open /proc/<pid>/cgroup: its process, as it is by now.
[[nodiscard]] Result<std::vector<CgroupEntry>> cgroups_of(const Fd& proc_cgroup);

[[nodiscard]] StepdPlace place_of(const Roots& roots, pid_t stepd);

}  // namespace slurm_adopt
