// SPDX-License-Identifier: GPL-2.0-or-later
// sticky=1: of several jobs the one that another login of the same client is in.
#include "login_phase.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {

std::optional<std::uint32_t> LoginPhase::sticky_job(const std::vector<StepdSession>& sessions, Deadline deadline)
{
    // Adopting has to have its time: in doubt the user's newest job is as good.
    const auto found = node_.find_sticky_job(roots_, sessions, record_.rhost, deadline.share(2));
    if (found) return found.value();
    log(LogLevel::debug, Priority::info, "sticky: no job by the client's other logins: " + printable(found.error().context));
    return std::nullopt;
}

}  // namespace slurm_adopt
