// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/mount_table.h"

#include <algorithm>
#include <vector>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

std::string undo_escapes(std::string_view text)
{
    std::string plain;
    const auto octal = [](char c) { return c >= '0' && c <= '7'; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
            plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

// `controllers` as /proc/<pid>/cgroup lists them ("cpu,cpuacct") against a mount's super options
// ("rw,cpu,cpuacct"): every one must be there.
bool has_controllers(std::string_view super_options, std::string_view controllers)
{
    const auto options = split(super_options, ',');
    const auto wanted = split(controllers, ',');
    return std::all_of(wanted.begin(), wanted.end(), [&](std::string_view controller) {
        return std::find(options.begin(), options.end(), controller) != options.end();
    });
}

}  // namespace

std::optional<std::string> cgroup_directory(std::string_view mountinfo, const CgroupEntry& cgroup)
{
    const std::string_view wanted_type = cgroup.controllers.empty() ? "cgroup2" : "cgroup";
    for (std::string_view line : split(mountinfo, '\n')) {
        // 36 35 98:0 /root /mount/point rw,noatime optional... - type source super,options
        const std::size_t dash = line.find(" - ");
        if (dash == std::string_view::npos) continue;
        const auto before = split(line.substr(0, dash), ' ');
        const auto after = split(line.substr(dash + 3), ' ');
        if (before.size() < 6 || after.size() < 3 || after[0] != wanted_type) continue;
        if (!cgroup.controllers.empty() && !has_controllers(after[2], cgroup.controllers)) continue;

        std::string root = undo_escapes(before[3]);
        if (root == "/") root.clear();
        if (!cgroup.path.starts_with(root)) continue;
        const std::string below = cgroup.path.substr(root.size());
        if (!below.empty() && below.front() != '/') continue;
        return undo_escapes(before[4]) + below;
    }
    return std::nullopt;
}

}  // namespace slurm_adopt
