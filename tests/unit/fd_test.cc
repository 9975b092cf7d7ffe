// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace slurm_adopt {
namespace {

static_assert(!std::is_copy_constructible_v<Fd> && !std::is_copy_assignable_v<Fd>);
static_assert(std::is_nothrow_move_constructible_v<Fd> && std::is_nothrow_move_assignable_v<Fd>);

int open_null()
{
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(Fd, ClosesAtTheEndOfItsLife)
{
    const int number = open_null();
    {
        const Fd fd(number);
        EXPECT_TRUE(fd);
        EXPECT_EQ(fd.get(), number);
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovingHandsOver)
{
    const int number = open_null();
    Fd first(number);
    Fd second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(second.get(), number);

    const int other = open_null();
    Fd third(other);
    third = std::move(second);
    EXPECT_FALSE(is_open(other)) << "what it owned before is closed";
    EXPECT_TRUE(is_open(number));

    Fd& same = third;
    third = std::move(same);
    EXPECT_TRUE(is_open(number)) << "a move onto itself changes nothing";
}

TEST(Fd, ResetClosesOnce)
{
    const int number = open_null();
    Fd fd(number);
    fd.reset();
    EXPECT_FALSE(fd);
    EXPECT_FALSE(is_open(number));
    const int again = open_null();  // the same number, most likely
    fd.reset();
    EXPECT_TRUE(is_open(again)) << "a second reset closes nobody else's";
    (void)::close(again);
}

TEST(Fd, NegativeOwnsNothing)
{
    EXPECT_FALSE(Fd());
    EXPECT_FALSE(Fd(-1));
    EXPECT_TRUE(Fd(::dup(0)));
    const Fd zero_is_a_descriptor(0);
    EXPECT_TRUE(zero_is_a_descriptor);
    Fd& mutable_zero = const_cast<Fd&>(zero_is_a_descriptor);
    const int saved = ::dup(0);
    mutable_zero.reset();
    EXPECT_FALSE(is_open(0));
    (void)::dup2(saved, 0);
    (void)::close(saved);
}

}  // namespace
}  // namespace slurm_adopt
