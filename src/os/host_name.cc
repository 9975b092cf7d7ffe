// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/host_name.h"

#include <sys/utsname.h>

#include <string_view>

namespace slurm_adopt {

std::string short_host_name()
{
    utsname name{};
    if (::uname(&name) != 0) return {};
    const std::string_view full = name.nodename;
    return std::string(full.substr(0, full.find('.')));
}

}  // namespace slurm_adopt
