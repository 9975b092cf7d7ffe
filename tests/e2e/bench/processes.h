// SPDX-License-Identifier: GPL-2.0-or-later
// A process and all that came of it, and whether they are inside a job.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "job.h"

namespace slurm_adopt::e2e {

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    uid_t uid = 0;
    std::string name;    // as the kernel has it: the program's
    std::string title;   // its command line, which sshd writes its state into
    std::string cgroup;  // /proc/PID/cgroup
};

// All that came of a process and still lives, parents first, without itself; zombies are no processes.
[[nodiscard]] std::vector<Process> descendants(pid_t ancestor);

// The same, once one of the name is among them: what is to be started by a session takes its time. As they are in the end,
// if none comes.
[[nodiscard]] std::vector<Process> descendants_with(const std::string& name, pid_t ancestor);

// The one with its descendants; nothing when it is gone.
[[nodiscard]] std::vector<Process> tree(pid_t root);

// Inside in every hierarchy in which the job's extern step itself is: the freezer, by which the job ends, and the memory's.
[[nodiscard]] bool is_inside(const std::string& cgroup_text, const Job& job);

// Those that are not inside the job, one a line, with their place; empty: all are inside.
[[nodiscard]] std::string outside_of(const Job& job, const std::vector<Process>& processes);
// Those that are inside the job; empty: none is.
[[nodiscard]] std::string inside_of(const Job& job, const std::vector<Process>& processes);

[[nodiscard]] std::string describe(const std::vector<Process>& processes);
[[nodiscard]] int count_of(const std::string& name, const std::vector<Process>& processes);

}  // namespace slurm_adopt::e2e
