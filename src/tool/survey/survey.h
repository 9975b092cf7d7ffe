// SPDX-License-Identifier: GPL-2.0-or-later
// All extern steps of this node, whoever owns them. The module asks for one user's only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

enum class OwnerBy {
    nobody,  // not known: `trouble` says why
    kernel,  // the uid_<uid> in the slurmstepd's cgroup (v1)
    stepd,   // the slurmstepd has answered
};

struct ExternStep {
    std::uint32_t job_id = 0;
    std::string node;
    std::string socket;
    std::int64_t socket_mtime_ns = 0;
    pid_t stepd = 0;  // 0: in a pid namespace out of sight
    std::optional<uid_t> owner;
    OwnerBy owner_by = OwnerBy::nobody;
    std::string trouble;                   // what is wrong with it; empty: nothing seen
    std::vector<CgroupEntry> directories;  // of its step_extern; empty: none, or not to be read
    std::int64_t began_ns = 0;             // when it began here, nanoseconds since the epoch
    bool began_by_cgroup = false;          // by the mtime of step_extern; else by that of the socket
};

struct Survey {
    std::vector<ExternStep> steps;      // by job id
    std::vector<std::string> warnings;  // one sentence each
};

// A slurmstepd that the kernel's cgroups speak for is connected to but not asked; each of the others gets a short time to
// answer. An error means that the list could not be had.
[[nodiscard]] Result<Survey> survey(const Roots& roots, const std::string& spool_dir, const std::string& nodename,
                                    Deadline deadline);

// "the slurmstepd says so", for people; "slurmstepd", for programs.
[[nodiscard]] std::string_view words_of(OwnerBy by);
[[nodiscard]] std::string_view code_of(OwnerBy by);

// "2026-11-21 22:31:41", local time, and "2026-11-21T22:31:41Z".
[[nodiscard]] std::string local_time(std::int64_t ns);
[[nodiscard]] std::string utc_time(std::int64_t ns);

}  // namespace slurm_adopt::tool
