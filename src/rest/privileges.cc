// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/privileges.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace slurm_adopt::rest {
namespace {

// The kernel's own for whoever has no other (/proc/sys/kernel/overflowuid), and nobody's on every distribution: the user
// database, which can hang, is not asked.
constexpr uid_t nobody = 65534;

}  // namespace

Result<Done> become_nobody(pid_t module)
{
    if (::setgroups(0, nullptr) != 0) return system_error("setgroups");
    if (::setresgid(nobody, nobody, nobody) != 0) return system_error("setresgid");
    if (::setresuid(nobody, nobody, nobody) != 0) return system_error("setresuid");
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return system_error("PR_SET_DUMPABLE");
    // The change of ids has cleared it.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return system_error("PR_SET_PDEATHSIG");
    if (::getppid() != module) return Error{ErrorCode::untrusted, 0, "the module's process is gone"};
    return Done{};
}

}  // namespace slurm_adopt::rest
