// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/step_start.h"

#include <sys/stat.h>

#include <optional>
#include <string>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/mount_table.h"

namespace slurm_adopt {
namespace {

std::optional<std::int64_t> cgroup_mtime(const Roots& roots, const std::string& mountinfo, pid_t stepd)
{
    const auto cgroups = cgroups_of(roots, stepd);
    if (!cgroups) return std::nullopt;
    for (const CgroupEntry& step : extern_step_directories(cgroups.value())) {
        const auto directory = cgroup_directory(mountinfo, step);
        struct stat status {};
        if (directory && ::stat(directory->c_str(), &status) == 0)
            return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::vector<std::int64_t>> step_starts(const Roots& roots, const std::vector<StepdSession>& sessions)
{
    const auto mountinfo = read_mountinfo(roots.proc);
    if (!mountinfo) return std::nullopt;
    std::vector<std::int64_t> starts;
    starts.reserve(sessions.size());
    for (const StepdSession& session : sessions) {
        const auto start = cgroup_mtime(roots, mountinfo.value(), session.pid);
        if (!start) return std::nullopt;
        starts.push_back(*start);
    }
    return starts;
}

std::vector<std::int64_t> socket_starts(const std::vector<StepdSession>& sessions)
{
    std::vector<std::int64_t> starts;
    starts.reserve(sessions.size());
    for (const StepdSession& session : sessions) starts.push_back(session.candidate.socket_mtime_ns);
    return starts;
}

}  // namespace slurm_adopt
