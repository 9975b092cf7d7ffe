// SPDX-License-Identifier: GPL-2.0-or-later
// The processes of a job's own steps, by the kernel's view, and the environment of one of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/asked_child.h"
#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// Where a job's processes are listed and shown: descriptors, so that they stay what they are when the process joins the
// job's namespaces, which may have another /proc and other mounts.
struct JobView {
    Fd proc;                               // of `Roots`
    Fd job;                                // the job's cgroup directory: where the kernel tracks its steps
    Fd readings;                           // the marks of readings that hang (reading_lock.h); empty: there can be none
    std::vector<CgroupEntry> directories;  // the job's, in every hierarchy that its extern step is in
};

// By the directories of the job's extern step (Adoption::step). Nothing in it where there are none, or they are out of
// sight.
[[nodiscard]] JobView view_of_job(const Roots& roots, const std::vector<CgroupEntry>& step);

// The environ(7) of one process of the job, at most `most` bytes from its beginning, as it is by now (proc_pid_environ(5));
// none where no process has one to give. Of the batch step, else of the interactive one, else of the oldest (the lowest
// number): the one that began first among those that the step's cgroup lists first. Only one that is in the job's cgroups,
// before the reading and after it, whose ids are all `uid`, and whose environ says SLURM_JOB_ID=`job_id` (a process that has
// not yet begun its program has slurmd's): a component of a heterogeneous job has the leader's id, and SLURM_HET_SIZE.
// Root's jobs have none: their processes and slurmstepd cannot be told apart.
// ErrorCode::timed_out: the pages of one did not come, to us or to an earlier login that waits for them still. They are the
// user's, and he decides what is behind them.
[[nodiscard]] Result<std::optional<Answer>> read_job_environment(const JobView& view, uid_t uid, std::uint32_t job_id,
                                                                      std::size_t most, Deadline deadline);

}  // namespace slurm_adopt
