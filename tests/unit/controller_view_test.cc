// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/controller_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <vector>

namespace slurm_adopt {

void PrintTo(const Outlook& outlook, std::ostream* out)
{
    *out << reason_code(outlook.reason) << " job " << outlook.job_id << " wait " << outlook.worth_waiting.count();
}

namespace {

using namespace std::chrono_literals;
using helper_wire::ControllerJob;
using helper_wire::JobState;

constexpr uid_t alice = 1000;
constexpr uid_t bob = 1001;

ControllerJob job(std::uint32_t id, JobState state, std::uint32_t running_s = 100, uid_t uid = alice)
{
    return {id, uid, static_cast<std::uint32_t>(state), running_s};
}

Outlook outlook(const std::vector<ControllerJob>& jobs)
{
    return outlook_of(std::span(jobs), alice);
}

constexpr Outlook no_job{Reason::no_jobs, 0, 0s};

constexpr Outlook starting(std::uint32_t id)
{
    return {Reason::job_starting, id, std::chrono::seconds::max()};
}

constexpr Outlook without_step(std::uint32_t id)
{
    return {Reason::no_extern_step, id, 1s};
}

TEST(ControllerView, WhoWasNotAskedSaysNothingAgainstWaiting)
{
    EXPECT_EQ(outlook_of(std::nullopt, alice), (Outlook{Reason::no_jobs, 0, std::chrono::seconds::max()}));
}

TEST(ControllerView, WithoutAJobThereIsNothingToWaitFor)
{
    EXPECT_EQ(outlook({}), no_job);
    EXPECT_EQ(outlook({job(7, JobState::ending)}), no_job);
    EXPECT_EQ(outlook({job(7, JobState::ending, 0)}), no_job) << "however young";
}

TEST(ControllerView, JobsOfOthersDoNotCount)
{
    for (const JobState state : {JobState::starting, JobState::running, JobState::ending})
        for (const uid_t other : {bob, alice - 1}) EXPECT_EQ(outlook({job(7, state, 0, other)}), no_job);
    EXPECT_EQ(outlook({job(9, JobState::starting, 0, bob), job(7, JobState::running)}), without_step(7));
}

TEST(ControllerView, AJobThatIsStarting)
{
    EXPECT_EQ(outlook({job(7, JobState::starting, 0)}), starting(7));
    EXPECT_EQ(outlook({job(7, JobState::starting, 3600)}), starting(7)) << "a prolog may take its time";
}

TEST(ControllerView, InItsFirstSecondsAJobIsStarting)
{
    EXPECT_EQ(outlook({job(7, JobState::running, 0)}), starting(7));
    EXPECT_EQ(outlook({job(7, JobState::running, 4)}), starting(7));
    EXPECT_EQ(outlook({job(7, JobState::running, 5)}), without_step(7));
    EXPECT_EQ(outlook({job(7, JobState::running, 4'000'000'000)}), without_step(7));
}

TEST(ControllerView, OfSeveralTheOneThatIsStartingThenTheNewest)
{
    std::vector<ControllerJob> jobs = {job(5, JobState::starting), job(8, JobState::running), job(9, JobState::ending)};
    const auto by_id = [](const ControllerJob& a, const ControllerJob& b) { return a.job_id < b.job_id; };
    do EXPECT_EQ(outlook(jobs), starting(5));
    while (std::next_permutation(jobs.begin(), jobs.end(), by_id));
    jobs = {job(5, JobState::running), job(6, JobState::running), job(7, JobState::ending)};
    do EXPECT_EQ(outlook(jobs), without_step(6));
    while (std::next_permutation(jobs.begin(), jobs.end(), by_id));
    jobs = {job(5, JobState::starting), job(6, JobState::running, 0), job(7, JobState::ending)};
    do EXPECT_EQ(outlook(jobs), starting(6));
    while (std::next_permutation(jobs.begin(), jobs.end(), by_id));
}

TEST(ControllerView, AStateThatIsNoneIsNoJob)
{
    for (const std::uint32_t state : {0U, 4U, 0xffffffffU}) EXPECT_EQ(outlook({{7, alice, state, 0}}), no_job) << state;
}

TEST(ControllerView, NothingIsAFailureOfAnotherClass)
{
    for (const JobState state : {JobState::starting, JobState::running, JobState::ending})
        EXPECT_EQ(failure_class(outlook({job(7, state)}).reason), FailureClass::no_jobs);
}

}  // namespace
}  // namespace slurm_adopt
