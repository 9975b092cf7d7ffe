// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel lists unix sockets by network namespace: in one of our own no real slurmstepd and no other test is seen.
#include <gtest/gtest.h>
#include <sched.h>

namespace slurm_adopt::test {
namespace {

class PrivateNetwork : public testing::Environment {
    void SetUp() override { ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "these tests need root"; }
};

[[maybe_unused]] const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new PrivateNetwork);

}  // namespace
}  // namespace slurm_adopt::test
