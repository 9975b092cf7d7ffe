// SPDX-License-Identifier: GPL-2.0-or-later
// What choose() says to the letter, where the tests of the policy look at the kind of answer only.
#include <gtest/gtest.h>

#include "slurm_adopt/policy.h"

namespace slurm_adopt {
namespace {

TEST(Choice, OfTheOnlyJobEndsWithItsOwnFailure)
{
    const OwnJob job{.job_id = 7, .began_ns = 0};
    EXPECT_EQ(choose(Options{}, std::span(&job, 1), std::nullopt).otherwise, Reason::adopt_failed);
}

TEST(Choice, OfTheNewestEndsWithTheFailureOfTheLastOne)
{
    const std::vector<OwnJob> jobs = {{1, 10}, {2, 20}};
    EXPECT_EQ(choose(Options{}, jobs, std::nullopt).otherwise, Reason::adopt_failed);
}

// Where the process is says which job it may be, not which one it was given: action_unknown still decides.
TEST(Choice, TheJobThatTheProcessIsInLeavesTheRestToActionUnknown)
{
    const std::vector<OwnJob> jobs = {{1, 10}, {2, 20}};
    for (const Action unknown : {Action::newest, Action::allow, Action::deny}) {
        Options options;
        options.action_unknown = unknown;
        const Choice choice = choose(options, jobs, KnownJob{1, Reason::current_job});
        ASSERT_FALSE(choice.candidates.empty());
        EXPECT_EQ(choice.candidates[0], (Candidacy{0, Reason::current_job}));
        EXPECT_EQ(choice.otherwise, unknown == Action::newest ? Reason::adopt_failed : Reason::unknown_job);
    }
}

TEST(Choice, AValueThatIsNoActionIsNotNewest)
{
    const std::vector<OwnJob> jobs = {{1, 10}, {2, 20}};
    Options options;
    options.action_unknown = static_cast<Action>(99);
    const Choice choice = choose(options, jobs, std::nullopt);
    EXPECT_TRUE(choice.candidates.empty());
    EXPECT_EQ(choice.otherwise, Reason::unknown_job);
}

}  // namespace
}  // namespace slurm_adopt
