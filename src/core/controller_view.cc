// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/controller_view.h"

#include <tuple>

namespace slurm_adopt {
namespace {

using helper_wire::ControllerJob;
using helper_wire::JobState;

constexpr Outlook nothing_comes{Reason::no_jobs, 0, std::chrono::seconds{0}};

Outlook outlook_of(const ControllerJob& job)
{
    const bool is_running = job.state == static_cast<std::uint32_t>(JobState::running);
    const bool is_young = is_running && job.running_s < time_to_launch.count();
    if (job.state == static_cast<std::uint32_t>(JobState::starting) || is_young)
        return {Reason::job_starting, job.job_id, std::chrono::seconds::max()};
    if (is_running) return {Reason::no_extern_step, job.job_id, time_after_prolog};
    return nothing_comes;  // it ends: no login belongs there
}

// In order of how much a login can hope for; of the same, the newest job.
std::tuple<std::chrono::seconds, std::uint32_t> hope_of(const Outlook& outlook)
{
    return {outlook.worth_waiting, outlook.job_id};
}

}  // namespace

Outlook outlook_of(const std::optional<std::span<const ControllerJob>>& jobs, uid_t uid)
{
    if (!jobs) return {};
    Outlook best = nothing_comes;
    for (const ControllerJob& job : *jobs) {
        if (job.uid != uid) continue;
        const Outlook outlook = outlook_of(job);
        if (hope_of(outlook) > hope_of(best)) best = outlook;
    }
    return best;
}

}  // namespace slurm_adopt
