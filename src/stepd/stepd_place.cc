// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/stepd_place.h"

#include <sys/stat.h>

#include "slurm_adopt/file.h"

namespace slurm_adopt {
namespace {

// Our pid is only a number: in the slurmstepd's pid namespace it has to name the same process.
bool same_pid_namespace(const Roots& roots, pid_t stepd)
{
    if (stepd <= 0) return false;
    struct stat ours {};
    struct stat theirs {};
    if (::stat((roots.proc + "/self/ns/pid").c_str(), &ours) != 0) return false;
    if (::stat((roots.proc + '/' + std::to_string(stepd) + "/ns/pid").c_str(), &theirs) != 0) return false;
    return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

}  // namespace

Result<std::vector<CgroupEntry>> cgroups_of(const Roots& roots, pid_t pid)
{
    auto text = read_file(roots.proc + '/' + std::to_string(pid) + "/cgroup", longest_proc_cgroup);
    if (!text) return std::move(text).error();
    return parse_proc_cgroup(text.value());
}

Result<std::vector<CgroupEntry>> cgroups_of(const Fd& proc_cgroup)
{
    auto text = read_open_file(proc_cgroup, "/proc/<pid>/cgroup", longest_proc_cgroup);
    if (!text) return std::move(text).error();
    return parse_proc_cgroup(text.value());
}

StepdPlace place_of(const Roots& roots, pid_t stepd)
{
    return {same_pid_namespace(roots, stepd), cgroups_of(roots, stepd)};
}

}  // namespace slurm_adopt
