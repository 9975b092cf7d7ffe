// SPDX-License-Identifier: GPL-2.0-or-later
// The processes of a job's own steps, by the kernel's view, and the environment of one of them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "slurm_adopt/asked_child.h"
#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// The environ(7) of one process of a job, as it is by now (proc_pid_environ(5)). Of the batch step, else of the interactive
// one, else of the oldest (the lowest number): the one that began first among those that the step's cgroup lists first.
// Only one that the step's cgroup lists before the reading, that is in the job's cgroups after it, whose ids are all the
// user's then, and whose environ says SLURM_JOB_ID=<the job> (a process that has not yet begun its program has slurmd's): a
// component of a heterogeneous job has the leader's id, and SLURM_HET_SIZE. Root's jobs have none: their processes and
// slurmstepd cannot be told apart.
//
// It keeps hold of where the job's processes are listed and shown, by descriptors: they stay what they are when this process joins
// the job's namespaces, which may have another /proc and other mounts.
class JobEnvironment {
public:
    struct Search;

    JobEnvironment() noexcept;  // of no job: there is nothing to read
    JobEnvironment(JobEnvironment&& other) noexcept;
    JobEnvironment& operator=(JobEnvironment&& other) noexcept;
    ~JobEnvironment();

    // By the directories of the job's extern step (Adoption::step). Nothing to read where there are none, or they are out of
    // sight. At most `most` bytes are read, from the beginning.
    JobEnvironment(const Roots& roots, const std::vector<CgroupEntry>& step, uid_t uid, std::uint32_t job_id, std::size_t most);

    // Has a child begin, while this process has something else to do.
    void begin(Deadline deadline);

    // None where no process has one to give. ErrorCode::timed_out: the pages of one did not come, to us or to an earlier login
    // that waits for them still. They are the user's, and he decides what is behind them. Once.
    [[nodiscard]] Result<std::optional<Answer>> read(Deadline deadline);

private:
    std::unique_ptr<Search> search_;
};

}  // namespace slurm_adopt
