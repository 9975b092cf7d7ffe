// SPDX-License-Identifier: GPL-2.0-or-later
// For headers.sh: what a release's libslurm gives through src/helper/slurm_api.cc, a line each.
#include <cstdio>

#include "slurm_api.h"

int main()
{
    std::printf("%s\n", slurm_adopt::helper::slurm_version().c_str());
    slurm_adopt::helper::load_slurm_conf();
    for (const auto& address : slurm_adopt::helper::node_addresses()) std::printf("%s\n", address.c_str());
    const auto authentication = slurm_adopt::helper::authentication();
    std::printf("%s %s\n", authentication.type.c_str(), authentication.info.c_str());
    return 0;
}
