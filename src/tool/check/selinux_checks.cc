// SPDX-License-Identifier: GPL-2.0-or-later
#include <glob.h>

#include <cerrno>
#include <memory>

#include "check/checks.h"
#include "slurm_adopt/file.h"

namespace slurm_adopt::tool {
namespace {

// A policy module whose name has slurm_adopt in it, in the module store (semodule(8)): "/var/lib/selinux/targeted/active/
// modules/400/slurm_adopt".
std::string policy_module(const Node& node)
{
    glob_t found{};
    const std::unique_ptr<glob_t, decltype(&::globfree)> freed(&found, &::globfree);
    const std::string pattern = node.roots.var + "/lib/selinux/*/active/modules/[0-9]*/*slurm_adopt*";
    if (::glob(pattern.c_str(), 0, nullptr, &found) != 0 || found.gl_pathc == 0) return {};
    const std::string path = found.gl_pathv[0];
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

Found check_selinux(const Node& node)
{
    const auto enforce = read_file(node.roots.sys + "/fs/selinux/enforce", 64);
    if (!enforce.ok()) {
        if (enforce.error().errno_value == ENOENT) return found_ok("SELinux is not in use");
        return found_warn(enforce.error().context, "run this as root");
    }
    const std::string module = policy_module(node);
    const std::string policy = module.empty() ? "no policy module of slurm-adopt is installed" : "policy module " + module;
    if (!enforce.value().starts_with('1')) return found_ok("SELinux is permissive: nothing is refused (" + policy + ')');
    if (!module.empty()) return found_ok("SELinux is enforcing, " + policy);
    return found_warn(
        "SELinux is enforcing, " + policy + ": its policy has to let sshd's domain connect to slurmstepd's sockets and start "
        "the helper",
        "after a login of a user with a job, look for denials with 'ausearch -m avc -c sshd -ts recent', and allow them in "
        "a policy module named slurm_adopt (audit2allow -M slurm_adopt; semodule -i slurm_adopt.pp)");
}

}  // namespace slurm_adopt::tool
