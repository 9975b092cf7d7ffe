// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/controller_view.h"

namespace slurm_adopt {
namespace {

Outlook outlook_by(const helper_wire::ControllerJob& job)
{
    const bool is_running = job.state == static_cast<std::uint32_t>(helper_wire::JobState::running);
    const bool is_young = is_running && job.running_s < time_to_launch.count();
    if (job.state == static_cast<std::uint32_t>(helper_wire::JobState::starting) || is_young)
        return {Reason::job_starting, job.job_id, std::chrono::seconds::max()};
    if (is_running) return {Reason::no_extern_step, job.job_id, time_after_prolog};
    return nothing_comes;  // it ends: no login belongs there
}

// In order of how much a login can hope for; of the same, the newest job.
bool is_better(const Outlook& one, const Outlook& other)
{
    if (one.worth_waiting != other.worth_waiting) return one.worth_waiting > other.worth_waiting;
    return one.job_id > other.job_id;
}

}  // namespace

Outlook outlook_of(const std::optional<std::span<const helper_wire::ControllerJob>>& jobs, uid_t uid)
{
    if (!jobs) return {};
    Outlook best = nothing_comes;
    for (const helper_wire::ControllerJob& job : *jobs) {
        if (job.uid != uid) continue;
        const Outlook outlook = outlook_by(job);
        if (is_better(outlook, best)) best = outlook;
    }
    return best;
}

}  // namespace slurm_adopt
