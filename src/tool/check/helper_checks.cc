// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "check/checks.h"
#include "slurm_adopt/child.h"

namespace slurm_adopt::tool {

Found check_helper(const Node& node)
{
    const std::string& named = node.options().helper;
    const std::string path = named.empty() ? node.roots.helper : named;
    const auto good = check_program(path);
    if (good.ok()) return found_ok(path);
    const std::string means = ": of several jobs, that of the source is not known";
    if (good.error().errno_value == ENOENT)
        return found_warn(good.error().context + means, "install slurm-adopt-helper there, or name it with helper=");
    const std::string directory = path.substr(0, path.rfind('/'));
    return found_warn(good.error().context + means,
                      "chown root " + directory + ' ' + path + " && chmod go-w " + directory + " && chmod 755 " + path);
}

}  // namespace slurm_adopt::tool
