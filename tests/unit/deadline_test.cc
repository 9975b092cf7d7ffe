// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/deadline.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

TEST(Deadline, PassesWhenItsTimeHasCome)
{
    EXPECT_FALSE(Deadline::after(1h).passed());
    EXPECT_TRUE(Deadline::after(0ms).passed());
    EXPECT_TRUE(Deadline::after(-1s).passed());
    const Deadline soon = Deadline::after(20ms);
    std::this_thread::sleep_for(21ms);
    EXPECT_TRUE(soon.passed());
}

TEST(Deadline, PollTimeoutIsRoundedUpAndNeverNegative)
{
    EXPECT_EQ(Deadline::after(-1h).poll_timeout(), 0);
    EXPECT_EQ(Deadline::after(0ms).poll_timeout(), 0);
    EXPECT_EQ(Deadline::after(100h).poll_timeout(), 3'600'000) << "poll(2) takes an int of milliseconds";
    const int left = Deadline::after(50ms).poll_timeout();
    EXPECT_GT(left, 20);
    EXPECT_LE(left, 50);
    // poll for as long as told: the deadline has passed then, never just before.
    for (int i = 0; i < 20; ++i) {
        const Deadline deadline = Deadline::after(2ms);
        (void)::poll(nullptr, 0, deadline.poll_timeout());
        EXPECT_TRUE(deadline.passed());
    }
}

TEST(Deadline, ShareIsAnEqualPartOfWhatIsLeft)
{
    const Deadline deadline = Deadline::after(10s);
    const int third = deadline.share(3).poll_timeout();
    EXPECT_GT(third, 3000);
    EXPECT_LE(third, 3334);
    EXPECT_GT(deadline.share(1).poll_timeout(), 9000) << "the last one gets all that is left";
    EXPECT_GT(deadline.share(0).poll_timeout(), 9000);
    EXPECT_TRUE(Deadline::after(-1s).share(3).passed());
}

TEST(Deadline, SoonerIsTheEarlierOfTwo)
{
    const Deadline early = Deadline::after(1s);
    const Deadline late = Deadline::after(1h);
    EXPECT_LE(early.sooner(late).poll_timeout(), 1000);
    EXPECT_LE(late.sooner(early).poll_timeout(), 1000);
}

TEST(Deadline, LaterByLeavesItAsItIs)
{
    const Deadline deadline = Deadline::after(1s);
    EXPECT_GT(deadline.later_by(2s).poll_timeout(), 2900);
    EXPECT_LE(deadline.later_by(2s).poll_timeout(), 3000);
    EXPECT_LE(deadline.poll_timeout(), 1000);
    EXPECT_FALSE(Deadline::after(-1s).later_by(2s).passed());
}

}  // namespace
}  // namespace slurm_adopt
