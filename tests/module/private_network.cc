// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel lists unix sockets by network namespace: in one of our own no real slurmstepd and no other test is seen.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {
namespace {

class PrivateNetwork : public testing::Environment {
    void SetUp() override
    {
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "these tests need root";
        const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ifreq loopback{.ifr_ifrn = {.ifrn_name = "lo"}, .ifr_ifru = {}};
        loopback.ifr_flags = IFF_UP;
        ASSERT_EQ(::ioctl(any.get(), SIOCSIFFLAGS, &loopback), 0);
    }
};

[[maybe_unused]] const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new PrivateNetwork);

}  // namespace
}  // namespace slurm_adopt::test
