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

using Order = std::vector<Evidence>;

struct Listed {
    std::vector<Chooser> choose;
    JobChoice job_choice;
    Order order;
    bool takes_newest;  // with action_unknown=deny
    bool asks_source;   // for one job, with single_job_skip_rpc=0
};

const std::vector<Listed>& every_list()
{
    using enum Chooser;
    constexpr Evidence source = Evidence::source;
    constexpr Evidence process = Evidence::process;
    static const std::vector<Listed> lists = {
        {{}, JobChoice::none, {source, process}, false, true},
        {{}, JobChoice::file, {source, process, Evidence::file}, false, true},
        {{callerid}, JobChoice::none, {source, process}, false, true},
        {{newest}, JobChoice::none, {process}, true, false},
        {{callerid, newest}, JobChoice::none, {source, process}, true, true},
        {{file}, JobChoice::file, {Evidence::file, process}, false, false},
        {{file, newest}, JobChoice::file, {Evidence::file, process}, true, false},
        {{callerid, file}, JobChoice::file, {source, process, Evidence::file}, false, true},
        {{file, callerid}, JobChoice::file, {Evidence::file, source, process}, false, true},
        {{callerid, file, newest}, JobChoice::file, {source, process, Evidence::file}, true, true},
        {{file, callerid, newest}, JobChoice::file, {Evidence::file, source, process}, true, true},
    };
    return lists;
}

TEST(Choice, IsSoughtInTheOrderOfTheList)
{
    for (const Listed& each : every_list()) {
        Options options;
        options.choose = each.choose;
        options.job_choice = each.job_choice;
        EXPECT_EQ(evidence_order(options), each.order) << "list " << &each - every_list().data();
        for (const Action unknown : {Action::newest, Action::allow, Action::deny}) {
            options.action_unknown = unknown;
            EXPECT_EQ(takes_newest(options), each.takes_newest || unknown == Action::newest) << "list " << &each - every_list().data();
        }
    }
}

TEST(Choice, OfOneJobAsksNobodyThatIsNotListed)
{
    for (const Listed& each : every_list()) {
        Options options;
        options.choose = each.choose;
        options.job_choice = each.job_choice;
        EXPECT_FALSE(source_matters(options, 0));
        EXPECT_FALSE(source_matters(options, 1)) << "single_job_skip_rpc is the default";
        EXPECT_TRUE(source_matters(options, 2));
        options.single_job_skip_rpc = false;
        EXPECT_FALSE(source_matters(options, 0));
        EXPECT_EQ(source_matters(options, 1), each.asks_source) << "list " << &each - every_list().data();
        EXPECT_TRUE(source_matters(options, 2));
        // Whoever is not asked cannot leave the only job unknown.
        options.action_unknown = Action::deny;
        const OwnJob job{.job_id = 7, .began_ns = 0};
        const Choice choice = choose(options, std::span(&job, 1), std::nullopt);
        EXPECT_EQ(choice.candidates.empty(), each.asks_source && !each.takes_newest) << "list " << &each - every_list().data();
    }
}

// Every list, every action, what is known and what is not: the known job first, the others only where the newest is taken.
TEST(Choice, OfEveryListAndAction)
{
    const std::vector<OwnJob> jobs = {{1, 10}, {2, 30}, {3, 20}};
    for (const Listed& each : every_list())
        for (const Action unknown : {Action::newest, Action::allow, Action::deny})
            for (const Reason reason : {Reason::source_job, Reason::current_job, Reason::file_job})
                for (const std::uint32_t known : {0U, 1U, 2U, 3U, 4U}) {  // 0: nothing known, 4: not one of these
                    Options options;
                    options.choose = each.choose;
                    options.job_choice = each.job_choice;
                    options.action_unknown = unknown;
                    const Choice choice = choose(options, jobs, known == 0 ? std::nullopt : std::optional(KnownJob{known, reason}));
                    std::vector<Candidacy> expected;
                    if (known >= 1 && known <= 3) expected.push_back({known - 1, reason});
                    const bool newest = each.takes_newest || unknown == Action::newest;
                    if (newest)
                        for (const std::size_t job : {1U, 2U, 0U})
                            if (job + 1 != known) expected.push_back({job, Reason::newest_job});
                    EXPECT_EQ(choice.candidates, expected) << "list " << &each - every_list().data() << ", known " << known;
                    EXPECT_EQ(choice.otherwise, newest ? Reason::adopt_failed : Reason::unknown_job);
                }
}

// The same for the job that another login of the client is in.
TEST(Choice, TheStickyJobLeavesTheRestToActionUnknown)
{
    const std::vector<OwnJob> jobs = {{1, 10}, {2, 20}};
    for (const Action unknown : {Action::newest, Action::allow, Action::deny}) {
        Options options;
        options.action_unknown = unknown;
        const Choice choice = choose(options, jobs, KnownJob{1, Reason::sticky});
        ASSERT_EQ(choice.candidates.size(), unknown == Action::newest ? 2U : 1U);
        EXPECT_EQ(choice.candidates[0], (Candidacy{0, Reason::sticky}));
        EXPECT_EQ(choice.otherwise, unknown == Action::newest ? Reason::adopt_failed : Reason::unknown_job);
    }
    const Choice foreign = choose(Options{}, jobs, KnownJob{3, Reason::sticky});
    EXPECT_EQ(foreign.candidates[0], (Candidacy{1, Reason::newest_job}));
}

TEST(Choice, OtherLoginsAreLookedForLastWhereTheOptionSaysSo)
{
    for (const Listed& each : every_list()) {
        Options options;
        options.choose = each.choose;
        options.job_choice = each.job_choice;
        options.sticky = true;
        auto order = each.order;
        order.push_back(Evidence::sticky);
        EXPECT_EQ(evidence_order(options), order) << "list " << &each - every_list().data();
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
