// SPDX-License-Identifier: GPL-2.0-or-later
// list with the slurmstepds of tests/module and the kernel's real cgroups.
#include <csignal>
#include <nlohmann/json.hpp>

#include "list/list.h"
#include "node_test.h"

namespace slurm_adopt::tool {
namespace {

class ListSteps : public test::NodeTest {
protected:
    static JobList listed()
    {
        auto list = list_jobs(Roots{}, "", "", Deadline::after(std::chrono::seconds{5}));
        if (!list) throw std::runtime_error(list.error().context);
        return std::move(list).value();
    }
};

TEST_F(ListSteps, OfEverybodyAndInEveryLayout)
{
    (void)start(7);
    (void)start(8, {.uid = test::bob}, test::Layout::v2);
    (void)start(9, {.version = test::release_26_05}, test::Layout::v2_sluid);
    (void)start(10, {}, test::Layout::no_cgroup);
    const JobList list = listed();
    ASSERT_EQ(list.jobs.size(), 4U);
    for (std::size_t at = 0; at < 4; ++at) {
        EXPECT_EQ(list.jobs[at].step.job_id, 7 + at);
        EXPECT_EQ(list.jobs[at].step.owner, at == 1 ? test::bob : test::alice);
        EXPECT_EQ(list.jobs[at].step.owner_by, at == 0 ? OwnerBy::kernel : OwnerBy::stepd);
        EXPECT_EQ(list.jobs[at].step.began_by_cgroup, at != 3);
        EXPECT_EQ(list.jobs[at].step.trouble, "");
        EXPECT_EQ(list.jobs[at].processes.size(), 0U);
        EXPECT_EQ(list.jobs[at].processes_error.empty(), at != 3);
    }
    for (const test::FakeStepd& stepd : stepds_) EXPECT_EQ(stepd.seen().adopt, 0);
}

TEST_F(ListSteps, AdoptedProcessesAndTheirSession)
{
    const test::FakeStepd& stepd = start(7);
    const pid_t child = ::fork();
    if (child == 0) {
        for (;;) (void)::pause();
    }
    stepd.pull_in(child);
    const JobList list = listed();
    (void)::kill(child, SIGKILL);
    (void)::waitpid(child, nullptr, 0);
    ASSERT_EQ(list.jobs.size(), 1U);
    ASSERT_EQ(list.jobs[0].processes.size(), 1U);
    EXPECT_EQ(list.jobs[0].processes[0].pid, child);
    EXPECT_EQ(list.jobs[0].processes[0].session, child);
    EXPECT_EQ(list.jobs[0].processes[0].parent, ::getpid());
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto since = std::chrono::nanoseconds{list.jobs[0].processes[0].since_ns};
    EXPECT_LT(std::chrono::abs(now - since), std::chrono::seconds{5});
}

TEST_F(ListSteps, AStoppedSlurmstepdIsNamedAndNotWaitedFor)
{
    start(7).stop();
    start(8, {}, test::Layout::v2).stop();
    const auto begin = std::chrono::steady_clock::now();
    const JobList list = listed();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
    ASSERT_EQ(list.jobs.size(), 2U);
    EXPECT_EQ(list.jobs[0].step.owner, test::alice);
    EXPECT_FALSE(list.jobs[1].step.owner);
    for (const ListedJob& job : list.jobs)
        EXPECT_NE(job.step.trouble.find("is stopped"), std::string::npos) << job.step.trouble;
}

}  // namespace
}  // namespace slurm_adopt::tool
