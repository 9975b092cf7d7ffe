// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>

#include "unit/all_reasons.h"

namespace slurm_adopt {
namespace {

using Indices = std::vector<std::size_t>;
using Source = std::optional<std::uint32_t>;

constexpr Source no_source = std::nullopt;

// As choose(), with the source's job as what is known.
Choice choose_by_source(const Options& options, std::span<const OwnJob> jobs, Source source)
{
    return choose(options, jobs, source ? std::optional<KnownJob>({*source, Reason::source_job}) : std::nullopt);
}

Indices order_of(const Choice& choice)
{
    Indices order;
    for (const Candidacy& candidate : choice.candidates) order.push_back(candidate.job);
    return order;
}

std::vector<Candidacy> all_newest(const Indices& order)
{
    std::vector<Candidacy> candidates;
    for (const std::size_t job : order) candidates.push_back({job, Reason::newest_job});
    return candidates;
}

// The table of the design, written a second time: class and options to verdict.
Verdict expected_verdict(const Options& options, FailureClass failure)
{
    const auto plain = [](Action action) {
        return action == Action::allow ? Verdict::allow : action == Action::ignore ? Verdict::ignore : Verdict::deny;
    };
    if (failure == FailureClass::no_jobs) return plain(options.action_no_jobs);
    if (failure == FailureClass::unknown_job) return plain(options.action_unknown);
    if (failure == FailureClass::adopt_failure && !options.strict) return plain(options.action_adopt_failure);
    if (failure == FailureClass::generic_failure && !options.strict) return plain(options.action_generic_failure);
    return Verdict::deny;
}

TEST(Policy, ConcludeFailureForEveryCombination)
{
    int combinations = 0;
    for (const Action no_jobs : {Action::deny, Action::ignore})
        for (const Action unknown : {Action::newest, Action::allow, Action::deny})
            for (const Action adopt : {Action::allow, Action::deny})
                for (const Action generic : {Action::ignore, Action::allow, Action::deny})
                    for (const bool strict : {false, true})
                        for (const Reason reason : test::all_reasons) {
                            Options options;
                            options.action_no_jobs = no_jobs;
                            options.action_unknown = unknown;
                            options.action_adopt_failure = adopt;
                            options.action_generic_failure = generic;
                            options.strict = strict;
                            const Decision decision = conclude_failure(options, reason);
                            EXPECT_EQ(decision.verdict, expected_verdict(options, failure_class(reason)))
                                << reason_code(reason);
                            EXPECT_EQ(decision.reason, reason);
                            EXPECT_NE(decision.verdict, Verdict::adopt) << "a failure is never an adoption";
                            ++combinations;
                        }
    EXPECT_EQ(combinations, 2 * 3 * 2 * 3 * 2 * static_cast<int>(std::size(test::all_reasons)));
}

TEST(Policy, StrictNeverFailsOpen)
{
    for (const Action adopt : {Action::allow, Action::deny, Action::ignore, Action::newest})
        for (const Action generic : {Action::ignore, Action::allow, Action::deny, Action::newest})
            for (const bool strict : {false, true}) {
                Options options;
                options.action_adopt_failure = adopt;
                options.action_generic_failure = generic;
                options.strict = strict;
                const auto opens = [](Action action) { return action == Action::allow || action == Action::ignore; };
                EXPECT_EQ(fails_open(options), !strict && (opens(adopt) || opens(generic)));
            }
    EXPECT_TRUE(fails_open(Options{})) << "Slurm's own defaults do";
}

TEST(Policy, AValueThatIsNoActionDenies)
{
    Options options;
    options.action_no_jobs = static_cast<Action>(99);
    EXPECT_EQ(conclude_failure(options, Reason::no_jobs).verdict, Verdict::deny);
}

TEST(Policy, ZeroIsARefusalAndVerdictsAreFarApart)
{
    EXPECT_EQ(Decision{}.verdict, Verdict::deny);
    EXPECT_EQ(Decision{}.reason, Reason::internal_error);
    const Verdict all[] = {Verdict::deny, Verdict::ignore, Verdict::allow, Verdict::adopt};
    for (const Verdict a : all)
        for (const Verdict b : all)
            if (a != b) {
                EXPECT_GE(std::popcount(static_cast<std::uint32_t>(a) ^ static_cast<std::uint32_t>(b)), 8);
            }
}

TEST(Policy, ChooseWithoutAJob)
{
    for (const Action unknown : {Action::newest, Action::allow, Action::deny}) {
        Options options;
        options.action_unknown = unknown;
        for (const bool skip : {false, true})
            for (const Source source : {no_source, Source(7)}) {
                options.single_job_skip_rpc = skip;
                const Choice choice = choose_by_source(options, {}, source);
                EXPECT_TRUE(choice.candidates.empty());
                EXPECT_EQ(choice.otherwise, Reason::no_jobs);
            }
    }
}

TEST(Policy, ChooseTheOnlyJobWhateverActionUnknownSays)
{
    for (const Action unknown : {Action::newest, Action::allow, Action::deny}) {
        Options options;
        options.action_unknown = unknown;
        const OwnJob job{.job_id = 7, .began_ns = 0};
        for (const Source source : {no_source, Source(7), Source(8)}) {
            const Choice choice = choose_by_source(options, std::span(&job, 1), source);
            EXPECT_EQ(choice.candidates, (std::vector<Candidacy>{{0, source == 7U ? Reason::source_job : Reason::one_job}}));
            EXPECT_EQ(failure_class(choice.otherwise), FailureClass::adopt_failure);
        }
    }
}

TEST(Policy, SourceMattersWithSeveralJobsOrWhereTheOptionSaysSo)
{
    for (const bool skip : {false, true}) {
        Options options;
        options.single_job_skip_rpc = skip;
        EXPECT_FALSE(source_matters(options, 0));
        EXPECT_EQ(source_matters(options, 1), !skip);
        for (const std::size_t jobs : {2U, 3U, 1000U}) EXPECT_TRUE(source_matters(options, jobs));
    }
}

TEST(Policy, ChooseTheOnlyJobWhenItsSourceCounts)
{
    const OwnJob job{.job_id = 7, .began_ns = 0};
    for (const Action unknown : {Action::newest, Action::allow, Action::deny})
        for (const Source source : {no_source, Source(7), Source(8), Source(0)}) {
            Options options;
            options.action_unknown = unknown;
            options.single_job_skip_rpc = false;
            const Choice choice = choose_by_source(options, std::span(&job, 1), source);
            if (source == 7U) {
                EXPECT_EQ(choice.candidates, (std::vector<Candidacy>{{0, Reason::source_job}}));
            } else if (unknown == Action::newest) {
                EXPECT_EQ(choice.candidates, (std::vector<Candidacy>{{0, Reason::one_job}}));
            } else {
                EXPECT_TRUE(choice.candidates.empty());
            }
            EXPECT_EQ(choice.otherwise, unknown == Action::newest ? Reason::adopt_failed : Reason::unknown_job);
        }
}

struct Several {
    std::vector<OwnJob> jobs;
    Indices order;
};

TEST(Policy, ChooseTheNewestOfSeveralFirst)
{
    const std::vector<Several> cases = {
        {{{1, 10}, {2, 20}}, {1, 0}},
        {{{2, 20}, {1, 10}}, {0, 1}},
        {{{2, 30}, {3, 10}, {4, 20}}, {0, 2, 1}},  // a lower id that started later: released from hold
        {{{1, 5}, {9, 5}, {4, 5}}, {1, 2, 0}},     // a tie goes to the highest id
        {{{1, 5}, {9, 4}, {4, 5}}, {2, 0, 1}},
        {{{1, -1}, {2, 0}, {3, -5}}, {1, 0, 2}},  // a clock before the epoch
        {{{4294967295U, 0}, {1, 9223372036854775807}}, {1, 0}},
    };
    for (const Several& each : cases) {
        const Choice choice = choose_by_source(Options{}, each.jobs, no_source);
        EXPECT_EQ(choice.candidates, all_newest(each.order)) << "first job id " << each.jobs[0].job_id;
        EXPECT_EQ(failure_class(choice.otherwise), FailureClass::adopt_failure);
    }
}

TEST(Policy, ChooseTheSourceJobFirstWhateverActionUnknownSays)
{
    const std::vector<OwnJob> jobs = {{1, 20}, {2, 40}, {3, 10}, {4, 30}};  // from new to old: 1, 3, 0, 2
    const Indices newest = {1, 3, 0, 2};
    for (std::size_t source = 0; source < jobs.size(); ++source)
        for (const Action unknown : {Action::newest, Action::allow, Action::deny})
            for (const bool skip : {false, true})
                for (const bool strict : {false, true}) {
                    Options options;
                    options.action_unknown = unknown;
                    options.single_job_skip_rpc = skip;
                    options.strict = strict;
                    const Choice choice = choose_by_source(options, jobs, jobs[source].job_id);
                    std::vector<Candidacy> expected = {{source, Reason::source_job}};
                    if (unknown == Action::newest)
                        for (const std::size_t job : newest)
                            if (job != source) expected.push_back({job, Reason::newest_job});
                    EXPECT_EQ(choice.candidates, expected) << "source " << jobs[source].job_id;
                    // The source's job cannot adopt: action_unknown decides, as the documentation of Slurm's module says.
                    EXPECT_EQ(choice.otherwise, unknown == Action::newest ? Reason::adopt_failed : Reason::unknown_job);
                }
}

TEST(Policy, TheJobOfTheAccountPhaseIsNoMatterOfActionUnknown)
{
    const std::vector<OwnJob> jobs = {{1, 20}, {2, 40}};
    for (const Action unknown : {Action::newest, Action::allow, Action::deny}) {
        Options options;
        options.action_unknown = unknown;
        const Choice taken = choose(options, jobs, KnownJob{1, Reason::account_job});
        ASSERT_FALSE(taken.candidates.empty());
        EXPECT_EQ(taken.candidates[0], (Candidacy{0, Reason::account_job}));
        EXPECT_EQ(taken.candidates.size(), unknown == Action::newest ? 2U : 1U);
        EXPECT_EQ(taken.otherwise, Reason::adopt_failed) << "it was known which one";
        // It has ended since: as if nobody had said anything.
        const Choice gone = choose(options, jobs, KnownJob{3, Reason::account_job});
        EXPECT_EQ(gone.candidates, choose(options, jobs, std::nullopt).candidates);
        EXPECT_EQ(gone.otherwise, choose(options, jobs, std::nullopt).otherwise);
    }
    const OwnJob only{.job_id = 7, .began_ns = 0};
    EXPECT_EQ(choose(Options{}, std::span(&only, 1), KnownJob{7, Reason::account_job}).candidates,
              (std::vector<Candidacy>{{0, Reason::account_job}}));
}

TEST(Policy, ASourceThatIsNoJobOfTheUsersChangesNothing)
{
    const std::vector<OwnJob> jobs = {{1, 10}, {2, 20}, {5, 15}};
    for (const Action unknown : {Action::newest, Action::allow, Action::deny}) {
        Options options;
        options.action_unknown = unknown;
        const Choice without = choose_by_source(options, jobs, no_source);
        for (const std::uint32_t foreign : {0U, 3U, 4U, 6U, 0xfffffffeU, 0xffffffffU}) {
            const Choice choice = choose_by_source(options, jobs, foreign);
            EXPECT_EQ(choice.candidates, without.candidates) << foreign;
            EXPECT_EQ(choice.otherwise, without.otherwise) << foreign;
        }
    }
}

TEST(Policy, EveryChoiceIsOneOfTheJobsAndNamedAtMostOnce)
{
    for (std::uint32_t count = 0; count <= 5; ++count)
        for (std::uint32_t source = 0; source <= count + 1; ++source)  // 0: none; count + 1: a stranger's
            for (const Action unknown : {Action::newest, Action::allow, Action::deny})
                for (const bool skip : {false, true}) {
                    std::vector<OwnJob> jobs;
                    for (std::uint32_t id = 1; id <= count; ++id) jobs.push_back({id, std::int64_t{id * 3 % 5}});
                    Options options;
                    options.action_unknown = unknown;
                    options.single_job_skip_rpc = skip;
                    const Choice choice = choose_by_source(options, jobs, source == 0 ? no_source : Source(source));
                    Indices seen = order_of(choice);
                    std::sort(seen.begin(), seen.end());
                    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
                    for (const std::size_t job : seen) EXPECT_LT(job, jobs.size());
                    const bool known = source >= 1 && source <= count;
                    const bool whatever = count == 1 && skip;
                    const std::size_t expected = unknown == Action::newest || whatever ? count : known ? 1 : 0;
                    EXPECT_EQ(seen.size(), expected) << count << " jobs, source " << source;
                    for (const Candidacy& candidate : choice.candidates)
                        EXPECT_EQ(candidate.reason == Reason::source_job, known && jobs[candidate.job].job_id == source);
                }
}

TEST(Policy, ChooseAmongManyListsEachOnce)
{
    std::vector<OwnJob> jobs;
    for (std::uint32_t id = 1; id <= 1000; ++id) jobs.push_back({id, std::int64_t{id % 7}});
    const Choice choice = choose_by_source(Options{}, jobs, no_source);
    ASSERT_EQ(choice.candidates.size(), jobs.size());
    for (std::size_t i = 1; i < jobs.size(); ++i) {
        const OwnJob& before = jobs[choice.candidates[i - 1].job];
        const OwnJob& after = jobs[choice.candidates[i].job];
        EXPECT_TRUE(before.began_ns > after.began_ns || (before.began_ns == after.began_ns && before.job_id > after.job_id));
    }
}

TEST(Policy, ChooseNoneOfSeveralWhereTheOptionSaysSo)
{
    const std::vector<OwnJob> jobs = {{1, 10}, {2, 20}};
    for (const Action unknown : {Action::allow, Action::deny}) {
        Options options;
        options.action_unknown = unknown;
        const Choice choice = choose_by_source(options, jobs, no_source);
        EXPECT_TRUE(choice.candidates.empty());
        EXPECT_EQ(choice.otherwise, Reason::unknown_job);
        EXPECT_EQ(conclude_failure(options, choice.otherwise).verdict,
                  unknown == Action::allow ? Verdict::allow : Verdict::deny);
    }
}

struct PassOver {
    std::vector<std::string> service, users;
    Subject subject;
    std::optional<Reason> expected;
};

TEST(Policy, PassOver)
{
    const std::vector<PassOver> cases = {
        {{"sshd"}, {}, {"sshd", "alice", false}, std::nullopt},
        {{"sshd"}, {}, {"login", "alice", false}, Reason::service},
        {{"sshd"}, {}, {"sshdx", "alice", false}, Reason::service},
        {{"sshd"}, {}, {"ssh", "alice", false}, Reason::service},
        {{"sshd"}, {}, {"SSHD", "alice", false}, Reason::service},
        {{"sshd"}, {}, {"", "alice", false}, Reason::service},
        {{"sshd"}, {}, {"*", "alice", false}, Reason::service},
        {{"sshd", "login"}, {}, {"login", "alice", false}, std::nullopt},
        {{"*"}, {}, {"anything", "alice", false}, std::nullopt},
        {{"*"}, {}, {"", "alice", false}, std::nullopt},
        {{"sshd"}, {"alice"}, {"sshd", "alice", false}, Reason::exempt_user},
        {{"sshd"}, {"bob", "alice"}, {"sshd", "alice", false}, Reason::exempt_user},
        {{"sshd"}, {"alic"}, {"sshd", "alice", false}, std::nullopt},
        {{"sshd"}, {"alicex"}, {"sshd", "alice", false}, std::nullopt},
        {{"sshd"}, {"Alice"}, {"sshd", "alice", false}, std::nullopt},
        {{"sshd"}, {"*"}, {"sshd", "alice", false}, std::nullopt},
        {{"sshd"}, {"bob"}, {"sshd", "", false}, std::nullopt},
        {{"sshd"}, {}, {"sshd", "alice", true}, Reason::exempt_group},
        {{"sshd"}, {"alice"}, {"sshd", "alice", true}, Reason::exempt_user},
        {{"sshd"}, {"alice"}, {"login", "alice", true}, Reason::service},
        {{"sshd"}, {}, {"sshd", "alice", false, true}, Reason::exempt_user},
        {{"sshd"}, {"bob"}, {"sshd", "alice", true, true}, Reason::exempt_user},
        {{"sshd"}, {}, {"login", "alice", true, true}, Reason::service},
    };
    for (const PassOver& each : cases) {
        Options options;
        options.service = each.service;
        options.exempt_users = each.users;
        const auto decision = pass_over(options, each.subject);
        ASSERT_EQ(decision.has_value(), each.expected.has_value()) << each.subject.service << ' ' << each.subject.user;
        if (!decision) continue;
        EXPECT_EQ(decision->verdict, Verdict::ignore);
        EXPECT_EQ(decision->reason, *each.expected);
    }
}

}  // namespace
}  // namespace slurm_adopt
