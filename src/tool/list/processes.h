// SPDX-License-Identifier: GPL-2.0-or-later
// The processes in a job's extern step: who has been adopted there, and which sessions they are.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;          // the adopted process that it came of: itself, or the one furthest up in the step
    std::string command;        // its command line; in brackets its name where it has none
    std::int64_t since_ns = 0;  // when it began, nanoseconds since the epoch; 0: it does not let that be read
};

struct ProcessStat {
    std::string name;
    pid_t parent = 0;
    std::uint64_t start_ticks = 0;  // after boot, in clock ticks

    friend bool operator==(const ProcessStat&, const ProcessStat&) = default;
};

// /proc/<pid>/stat (proc_pid_stat(5)); a name may have spaces and parentheses.
[[nodiscard]] std::optional<ProcessStat> parse_stat(std::string_view text);

// The pids in a cgroup directory and those below it. An error where it cannot be read.
[[nodiscard]] Result<std::vector<pid_t>> pids_below(const std::string& directory);

// Those in the step that its slurmstepd has not started itself, by pid. `boot_ns`: see boot_time(). A process whose
// stat or cmdline does not come is there with its name only, as all are after the deadline.
[[nodiscard]] Result<std::vector<Process>> adopted_processes(const Roots& roots, const std::string& mountinfo,
                                                             const std::vector<CgroupEntry>& step, pid_t slurmstepd,
                                                             std::int64_t boot_ns, Deadline deadline);

// When this machine was booted, nanoseconds since the epoch.
[[nodiscard]] std::int64_t boot_time();

}  // namespace slurm_adopt::tool
