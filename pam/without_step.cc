// SPDX-License-Identifier: GPL-2.0-or-later
// The account phase of a user who has no extern step here: is one coming? The controller may know, and it can be waited for.
#include <algorithm>

#include "asking.h"
#include "login_phase.h"
#include "slurm_adopt/step_watch.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {

Decision LoginPhase::decide_without_step(uid_t uid, Deadline deadline)
{
    const Outlook outlook = ask_outlook(uid, deadline);
    // The step may have come while the controller was asked.
    if (outlook.job_id != 0 && !deadline.passed())
        if (const Decision decision = find_and_adopt(uid, deadline); decision.reason != Reason::no_jobs) return decision;
    if (const auto decision = wait_for_step(uid, deadline, outlook.worth_waiting)) return *decision;
    record_.job_id = outlook.job_id;
    if (outlook.reason == Reason::no_extern_step)
        log(LogLevel::error, Priority::warning,
            "job " + std::to_string(outlook.job_id) + " of user " + log_value(record_.user) +
                " runs here, as the controller says, but has no extern step: slurm.conf had no PrologFlags=contain when it began, or "
                "its slurmstepd has died");
    return conclude_failure(options_, outlook.reason);
}

Outlook LoginPhase::ask_outlook(uid_t uid, Deadline deadline)
{
    if (options_.controller == Controller::none) return outlook_of(std::nullopt, uid);
    const auto jobs = node_.ask_controller(helper_settings_of(options_), controller_question(options_, uid),
                                           deadline.sooner(Deadline::after(options_.controller_timeout)));
    if (jobs) return outlook_of(jobs.value(), uid);
    // Whether it answers or not: who has a job here, and who has none, does not depend on it.
    log(LogLevel::debug, Priority::debug, "controller: " + printable(jobs.error().context));
    return outlook_of(std::nullopt, uid);
}

std::optional<Decision> LoginPhase::wait_for_step(uid_t uid, Deadline deadline, std::chrono::seconds worth_waiting)
{
    const std::chrono::seconds wait = std::min(options_.wait_for_job, worth_waiting);
    if (wait.count() == 0) return std::nullopt;
    const Deadline until = Deadline::after(wait);
    const Deadline end = deadline.later_by(wait);
    log(LogLevel::verbose, Priority::info, "waiting for an extern step of user " + log_value(record_.user));
    StepWatch watch(roots_, options_.spool_dir, options_.nodename);
    while (node_.wait_for_step(watch, until)) {
        // A slurmstepd of somebody else's that is slow takes no more of this than of a login that does not wait.
        const Decision decision = find_and_adopt(uid, end.sooner(Deadline::after(options_.timeout)));
        if (decision.reason != Reason::no_jobs) return decision;
    }
    return std::nullopt;
}

}  // namespace slurm_adopt
