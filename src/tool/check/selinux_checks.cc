// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "check/checks.h"
#include "slurm_adopt/file.h"

namespace slurm_adopt::tool {

Found check_selinux(const Node& node)
{
    const auto enforce = read_file(node.roots.sys + "/fs/selinux/enforce", 64);
    if (!enforce.ok()) {
        if (enforce.error().errno_value == ENOENT) return found_ok("SELinux is not in use");
        return found_warn(enforce.error().context, "run this as root");
    }
    if (!enforce.value().starts_with('1')) return found_ok("SELinux is permissive: nothing is refused");
    return found_warn(
        "SELinux is enforcing: its policy has to let sshd's domain connect to slurmstepd's sockets and start the helper",
        "after a login of a user with a job, look for denials with 'ausearch -m avc -c sshd -ts recent', and allow them in "
        "a policy module");
}

}  // namespace slurm_adopt::tool
