// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/stepd_place.h"

#include <unistd.h>

#include "slurm_adopt/file.h"

namespace slurm_adopt {
namespace {

// The name of a process's pid namespace, "pid:[4026531836]"; empty where it cannot be had. Its number is the namespace's
// own (namespaces(7)). To read the link takes half of what stat(2) of its target takes.
std::string pid_namespace(const std::string& process)
{
    char name[64];
    const ssize_t length = ::readlink((process + "/ns/pid").c_str(), name, sizeof name);
    return length > 0 ? std::string(name, static_cast<std::size_t>(length)) : std::string();
}

// Our pid is only a number: in the slurmstepd's pid namespace it has to name the same process.
bool same_pid_namespace(const Roots& roots, pid_t stepd)
{
    if (stepd <= 0) return false;
    const std::string ours = pid_namespace(roots.proc + "/self");
    return !ours.empty() && ours == pid_namespace(roots.proc + '/' + std::to_string(stepd));
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
