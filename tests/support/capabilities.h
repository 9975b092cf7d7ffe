// SPDX-License-Identifier: GPL-2.0-or-later
// Capabilities of this process (capabilities(7)); for a test's forked child.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace slurm_adopt::test {

inline bool drop_capability(unsigned capability)
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
    data[capability / 32].effective &= ~(1U << capability % 32);
    return ::syscall(SYS_capset, &header, data.data()) == 0;
}

}  // namespace slurm_adopt::test
