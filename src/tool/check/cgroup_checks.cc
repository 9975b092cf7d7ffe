// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "check/checks.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

struct Hierarchies {
    std::string freezer;  // where it is mounted; empty: nowhere
    std::string v2;
};

// proc_pid_mountinfo(5): "... MOUNTPOINT OPTIONS ... - TYPE SOURCE SUPEROPTIONS".
Hierarchies mounted(std::string_view mountinfo)
{
    Hierarchies found;
    for (const std::string_view line : split(mountinfo, '\n')) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string_view::npos) continue;
        const auto front = split(line.substr(0, dash), ' ');
        const auto back = split(line.substr(dash + 3), ' ');
        if (front.size() < 5 || back.size() < 3) continue;
        const auto controllers = split(back[2], ',');
        if (back[0] == "cgroup2") found.v2 = front[4];
        if (back[0] == "cgroup" && std::find(controllers.begin(), controllers.end(), "freezer") != controllers.end())
            found.freezer = front[4];
    }
    return found;
}

bool leads_to_null(const std::string& unit)
{
    char target[16] = "";
    const ssize_t length = ::readlink(unit.c_str(), target, sizeof target);
    return length > 0 && std::string_view(target, static_cast<std::size_t>(length)) == "/dev/null";
}

}  // namespace

Found check_cgroups(const Node& node)
{
    const auto text = read_mountinfo(node.roots.proc);
    if (!text.ok()) return found_fail(text.error().context, "mount /proc");
    const Hierarchies found = mounted(text.value());
    if (!found.freezer.empty()) return found_ok("cgroup v1, freezer at " + found.freezer);
    if (!found.v2.empty()) return found_ok("cgroup v2 at " + found.v2);
    return found_fail("neither cgroup v2 nor the freezer of cgroup v1 is mounted: no session can be confined to its job",
                      "mount -t cgroup2 none /sys/fs/cgroup (systemd does it at boot), and restart slurmd");
}

Found check_user_manager(const Node& node)
{
    // sd_booted(3)
    if (::access((node.roots.run + "/systemd/system").c_str(), F_OK) != 0) return std::nullopt;
    for (const std::string& directory : {node.roots.etc, node.roots.run})
        if (leads_to_null(directory + "/systemd/system/user@.service")) return found_ok("user@.service is masked");
    return found_warn("user@.service is not masked: 'systemd-run --user' starts processes outside of every job",
                      "systemctl mask user@.service");
}

}  // namespace slurm_adopt::tool
