// SPDX-License-Identifier: GPL-2.0-or-later
// /proc/self/mountinfo: controllers, a cgroup's path and the table, separated by NUL. Mount points are anybody's names.
#include <string>

#include "input.h"
#include "require.h"
#include "slurm_adopt/mount_table.h"

using namespace slurm_adopt;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    CgroupEntry cgroup;
    cgroup.controllers = input.text();
    cgroup.path = '/' + std::string(input.text());
    const std::string table(input.rest());
    const auto directory = cgroup_directory(table, cgroup);
    require(!directory || table.find(cgroup.controllers.empty() ? "cgroup2" : "cgroup") != std::string::npos,
            "a directory is by a mount of cgroups");
    const std::string other = "24 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\nnonsense - \n - \n";
    require(cgroup_directory(other + table, cgroup) == directory, "other mounts do not matter");
    // A mount of all of it that comes first decides.
    const std::string type = cgroup.controllers.empty() ? "cgroup2" : "cgroup";
    if (cgroup.controllers.find_first_of(" \n") == std::string::npos) {
        const std::string first = "30 24 0:26 / /sys/fs/cg\\040x rw - " + type + " cgroup rw," + cgroup.controllers + '\n';
        require(cgroup_directory(first + table, cgroup) == "/sys/fs/cg x" + cgroup.path, "the first mount that has it");
    }
    return 0;
}
