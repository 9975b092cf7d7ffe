// SPDX-License-Identifier: GPL-2.0-or-later
// Reading /proc/<pid>/cgroup (cgroups(7)): where a process is, and whether that is inside an extern step.
//
// Lines are `hierarchy-id:controllers:path`. cgroup v1 has one line per hierarchy, cgroup v2 the line `0::path`,
// a hybrid host has both. Where the slurmstepd of an extern step itself is, measured:
//   v1  freezer:/slurm_<node>/uid_<uid>/job_<id>                      22.05: one above its step_extern
//   v1  memory:/slurm_<node>/uid_<uid>/job_<id>/step_extern           22.05 with ConstrainRAMSpace
//   v2  0::/system.slice/<node>_slurmstepd.scope/job_<id>/step_extern/slurm      24.11
//   v2  0::/system.slice/<node>_slurmstepd.scope/<SLUID>/step_extern/slurm       26.05
// So a job's directory is never built from its id: it is taken from the slurmstepd's own path.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slurm_adopt {

struct CgroupEntry {
    std::string controllers;  // "freezer", "cpu,cpuacct", "name=systemd"; empty: cgroup v2
    std::string path;         // from the root of that hierarchy, begins with '/'
};

// All lines that parse; others are left out, so that a new kind of line never harms.
[[nodiscard]] std::vector<CgroupEntry> parse_proc_cgroup(std::string_view text);

// The extern step's directory in every hierarchy in which its slurmstepd is inside one, or (cgroup v1) in the job's
// directory above one, e.g. {"freezer", "/slurm_n1/uid_1000/job_7/step_extern"}. Empty where steps are tracked without
// cgroups: neither the freezer (cgroup v1) nor cgroup v2 is among them then. A memory limit alone (task/cgroup with
// proctrack/linuxproc) does not end a session with its job. (On cgroup v2 the two cannot be told apart.)
[[nodiscard]] std::vector<CgroupEntry> extern_step_directories(const std::vector<CgroupEntry>& stepd);

// The directories that a job's steps are in, by those of its extern step: {"freezer", "/slurm_n1/uid_1000/job_7"}.
[[nodiscard]] std::vector<CgroupEntry> job_directories(std::vector<CgroupEntry> extern_step_directories);

// True if `process` is in or below the step's directory in every hierarchy listed; false if none is listed.
[[nodiscard]] bool is_inside(const std::vector<CgroupEntry>& process, const std::vector<CgroupEntry>& step_directories);

// The uid of the `uid_<uid>/job_<id>` in a slurmstepd's path (cgroup v1 only): who owns the job, told by the kernel.
[[nodiscard]] std::optional<uid_t> owner_by_path(const std::vector<CgroupEntry>& stepd);

}  // namespace slurm_adopt
