// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace slurm_adopt {
namespace {

static_assert(!std::is_default_constructible_v<Result<int>>, "a result is never undecided");

TEST(Result, HoldsAValueOrAnError)
{
    const Result<int> good(7);
    ASSERT_TRUE(good.ok());
    EXPECT_EQ(good.value(), 7);

    const Result<int> bad(Error{ErrorCode::protocol, 0, "nonsense"});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::protocol);
    EXPECT_EQ(bad.error().context, "nonsense");
}

TEST(Result, MovesItsValueOut)
{
    Result<std::unique_ptr<int>> owner(std::make_unique<int>(3));
    const std::unique_ptr<int> taken = std::move(owner).value();
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(*taken, 3);
}

TEST(Result, TrapsWhereNobodyAskedFirst)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            Result<int> bad(Error{ErrorCode::closed, 0, ""});
            (void)bad.value();
        },
        "");
    EXPECT_DEATH(
        {
            const Result<int> good(1);
            (void)good.error();
        },
        "");
}

TEST(Error, ContextGrowsOutwards)
{
    Error error = system_error("read", EPIPE);
    EXPECT_EQ(error.code, ErrorCode::system);
    EXPECT_EQ(error.errno_value, EPIPE);
    error = std::move(error).in("reply");
    error = std::move(error).in("adopt");
    EXPECT_EQ(error.context, "adopt: reply: read: Broken pipe");
    EXPECT_EQ(error.errno_value, EPIPE);
}

TEST(Error, TakesErrno)
{
    errno = ENOENT;
    const Error error = system_error("open");
    EXPECT_EQ(error.errno_value, ENOENT);
    EXPECT_EQ(error.context, "open: No such file or directory");
    EXPECT_EQ(system_error("x", 99999).context, "x: Unknown error 99999");
}

}  // namespace
}  // namespace slurm_adopt
