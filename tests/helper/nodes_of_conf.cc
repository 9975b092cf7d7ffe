// SPDX-License-Identifier: GPL-2.0-or-later
// For headers.sh: what a release's libslurm gives through src/helper/slurm_api.cc and slurm_config.cc, a line each.
#include <cstdio>

#include "slurm_api.h"
#include "slurm_config.h"

int main()
{
    std::printf("%s\n", slurm_adopt::helper::slurm_version().c_str());
    slurm_adopt::helper::load_slurm_conf();
    for (const auto& address : slurm_adopt::helper::node_addresses()) std::printf("%s\n", address.c_str());
    const auto authentication = slurm_adopt::helper::authentication();
    std::printf("%s %s\n", authentication.type.c_str(), authentication.info.c_str());
    const auto settings = slurm_adopt::helper::settings();
    std::printf("contain=%d x11=%d pam=%d %s %s %s\n", settings.contain, settings.x11, settings.use_pam, settings.proctrack_type.c_str(),
                settings.task_plugin.c_str(), settings.spool_dir.c_str());
    for (const char* node : {"n2", "p"})
        std::printf("%s:%d\n", slurm_adopt::helper::address_of(node).c_str(), slurm_adopt::helper::port_of(node).value_or(0));
    std::printf("%zu %s\n", slurm_adopt::helper::node_names().size(), slurm_adopt::helper::node_of_this_host().value_or("-").c_str());
    return 0;
}
