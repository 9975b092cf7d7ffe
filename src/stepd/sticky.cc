// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/sticky.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/directory.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/mount_table.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// Of all the extern steps together. A user who has more than that has something else than logins there.
constexpr std::size_t most_processes = 4096;
constexpr std::size_t longest_list = std::size_t{64} * 1024;

// Where slurmstepd puts whom it adopts: on cgroup v1 into its step_extern itself; on cgroup v2 below it into user/task_special,
// or into user/task_0 with jobacct_gather/cgroup (seen with Slurm 24.11 and 26.05).
std::vector<std::string> places_of(const std::string& step)
{
    std::vector<std::string> places = {step};
    const Fd directory(::open(step.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return places;
    Listing names(directory.get(), "user");
    while (const char* name = names ? names.next() : nullptr)
        if (std::string_view(name).starts_with("task_")) places.push_back(step + "/user/" + name);
    return places;
}

Result<std::vector<pid_t>> processes_in(const std::string& directory)
{
    std::vector<pid_t> pids;
    const auto list = read_file(directory + "/cgroup.procs", longest_list);
    // ENODEV: removed while it was read.
    if (!list && (list.error().errno_value == ENOENT || list.error().errno_value == ENODEV)) return pids;
    if (!list) return list.error();
    for (const std::string_view line : split(list.value(), '\n'))
        if (const auto pid = parse_number<std::uint32_t>(line); pid && *pid != 0) pids.push_back(static_cast<pid_t>(*pid));
    return pids;
}

// By the hierarchy that its processes are tracked in.
Result<std::vector<pid_t>> processes_of(const std::string& mountinfo, const std::vector<CgroupEntry>& step)
{
    std::vector<pid_t> pids;
    for (const CgroupEntry& entry : step) {
        if (!entry.controllers.empty() && entry.controllers != "freezer") continue;
        const auto directory = cgroup_directory(mountinfo, entry);
        if (!directory) return Error{ErrorCode::system, ENOENT, "no mount shows " + entry.path};
        for (const std::string& place : places_of(*directory)) {
            const auto found = processes_in(place);
            if (!found) return found.error();
            pids.insert(pids.end(), found.value().begin(), found.value().end());
        }
    }
    return pids;
}

Result<std::vector<CgroupEntry>> step_of(const Roots& roots, const StepdSession& session)
{
    const auto cgroups = session.place ? session.place->cgroups : cgroups_of(roots, session.pid);
    if (!cgroups) return cgroups.error();
    return extern_step_directories(cgroups.value());
}

}  // namespace

Result<std::optional<std::uint32_t>> find_sticky_job(const Roots& roots, const std::vector<StepdSession>& sessions,
                                                     const Connection& own, const IsSshd& is_sshd, Deadline deadline)
{
    const auto mountinfo = read_mountinfo(roots.proc);
    if (!mountinfo) return mountinfo.error();
    std::optional<std::uint32_t> job;
    std::uint64_t latest = 0;
    std::size_t seen = 0;
    for (const StepdSession& session : sessions) {
        const auto step = step_of(roots, session);
        if (!step) return step.error();
        const auto pids = processes_of(mountinfo.value(), step.value());
        if (!pids) return pids.error();
        if (seen += pids.value().size(); seen > most_processes)
            return Error{ErrorCode::too_large, 0, "too many processes in the user's extern steps"};
        for (const pid_t pid : pids.value()) {
            if (deadline.passed()) return Error{ErrorCode::timed_out, 0, "no time left to look at the user's processes"};
            const auto start = monitor_start(roots, pid, step.value(), own, is_sshd);
            if (!start) return start.error();
            if (!start.value() || (job && *start.value() < latest)) continue;
            if (job && *start.value() == latest && session.job_id() < *job) continue;
            latest = *start.value();
            job = session.job_id();
        }
    }
    return job;
}

}  // namespace slurm_adopt
