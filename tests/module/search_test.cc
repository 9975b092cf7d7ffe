// SPDX-License-Identifier: GPL-2.0-or-later
// Whom a login asks: not others where the kernel tells, everybody before a refusal; and what others' stuck ones cost.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

#include "node_test.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

class Search : public NodeTest {
protected:
    // The user of this batch job, by the directory beside the sockets.
    void batch(unsigned job_id, uid_t owner)
    {
        const std::string path = spool_.make_directory("job0000" + std::to_string(job_id));
        ASSERT_EQ(::chown(path.c_str(), owner, 0), 0);
    }
};

const StepdScript hangs = {.uid = bob, .fault = Fault::hang, .at = Step::version};
const Expected adopted = {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}};

TEST_F(Search, OthersAreNotWokenWhereTheKernelTells)
{
    (void)start(7);
    std::vector<FakeStepd*> others;
    for (unsigned job_id = 10; job_id < 20; ++job_id) others.push_back(&start(job_id, {.uid = bob}));
    expect("own found", log_in({.options = {"strict"}}), adopted);
    for (const FakeStepd* other : others) EXPECT_EQ(other->seen().connections, 0);
}

TEST_F(Search, OthersStuckCostNothingWhereTheKernelTells)
{
    for (unsigned job_id = 10; job_id < 15; ++job_id) (void)start(job_id, hangs);
    const Outcome none = log_in({.options = {"strict"}});
    expect("no job", none, {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
    EXPECT_LT(none.milliseconds, 180);
    (void)start(7);
    const Outcome one = log_in({.options = {"strict"}});
    expect("one job", one, adopted);
    report_fault({"slurmstepd", "5 silent stepds of others, cgroup v1; the whole login", "adopt one_job", 180}, one.milliseconds);
}

TEST_F(Search, OthersStuckCostTheGraceWhereNobodyTells)
{
    (void)start(7, {}, Layout::v2);
    FakeStepd& hung = start(9, hangs, Layout::v2);
    FakeStepd& stopped = start(10, {.uid = bob}, Layout::v2);
    stopped.stop();
    const Outcome outcome = log_in({.options = {"strict"}});
    EXPECT_EQ(outcome.code, "success");
    EXPECT_EQ(outcome.complaints, "");
    ASSERT_EQ(outcome.log.size(), 2U);
    EXPECT_TRUE(outcome.log[0].starts_with("warning 2 extern step(s) did not answer, e.g. " + spool_.path()))
        << outcome.log[0];
    EXPECT_EQ(outcome.log[1], adopted.log[0]);
    EXPECT_GE(outcome.milliseconds, 150) << "a slow one might be a newer job of the user's";
    EXPECT_EQ(hung.seen().connections, 1);
    report_fault({"slurmstepd", "a silent and a stopped stepd of others, cgroup v2; the whole login", "adopt one_job", 600},
                 outcome.milliseconds);
}

TEST_F(Search, AStoppedOneOfAnotherDoesNotDelayARefusalForLong)
{
    FakeStepd& stopped = start(10, {.uid = bob}, Layout::v2);
    stopped.stop();
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("refused", outcome,
           {"perm_denied",
            {"warning 1 extern step(s) did not answer, e.g. " + stopped.socket(),
             decided("notice deny no_jobs", 0, 0, "-", "closed")},
            {no_job_message}});
    EXPECT_LT(outcome.milliseconds, 700);
}

TEST_F(Search, AHintIsNotEnoughToRefuse)
{
    // The freezer tree of the node does not have this job: a hint that it is somebody else's, and wrong.
    FakeStepd& bobs = start(9, {.uid = bob});
    FakeStepd& mine = start(7, {}, Layout::v2);
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("second round", outcome, adopted);
    EXPECT_TRUE(is_in(outcome, mine.cgroup()));
    EXPECT_EQ(bobs.seen().connections, 0);
}

TEST_F(Search, ABatchDirectoryOfAnotherIsNotEnoughToRefuse)
{
    batch(7, bob);
    batch(8, bob);
    FakeStepd& mine = start(7, {}, Layout::v2);
    FakeStepd& bobs = start(8, {.uid = bob}, Layout::v2);
    expect("second round", log_in({.options = {"strict"}}), adopted);
    EXPECT_EQ(mine.seen().connections, 1);
    EXPECT_EQ(bobs.seen().connections, 1) << "nobody but it can tell";
}

TEST_F(Search, ABatchDirectoryOfAnotherSavesTheQuestionWhereOneIsFound)
{
    batch(7, alice);
    batch(8, bob);
    (void)start(7, {}, Layout::v2);
    FakeStepd& bobs = start(8, {.uid = bob, .fault = Fault::hang, .at = Step::version}, Layout::v2);
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("first round", outcome, adopted);
    EXPECT_EQ(bobs.seen().connections, 0);
    report_fault({"slurmstepd", "silent batch job's stepd of another's, cgroup v2; the whole login", "adopt one_job", 180},
                 outcome.milliseconds);
}

TEST_F(Search, AnOwnOneThatIsStuckIsNoRefusalForWantOfAJob)
{
    batch(7, alice);
    FakeStepd& mine = start(7, {.fault = Fault::hang, .at = Step::version}, Layout::v2);
    const Outcome outcome = log_in({.options = {"timeout=1", "strict"}});
    expect("by its batch directory", outcome,
           {"perm_denied",
            {"warning 1 extern step(s) did not answer, e.g. " + mine.socket(),
             decided("notice deny adopt_timeout", 1, 0, "-", "closed")},
            {adopt_failure_message("adopt_timeout")}});
    EXPECT_LT(outcome.milliseconds, 2500);
    const Outcome open = log_in({.options = {"timeout=1"}});
    EXPECT_EQ(open.code, "success") << "Slurm's default: an adoption that fails lets in";
}

TEST_F(Search, OneOfTwoOwnIsStuck)
{
    (void)start(7);
    FakeStepd& stuck = start(8, {.fault = Fault::hang, .at = Step::version});
    const Outcome outcome = log_in({.options = {"strict"}});
    Expected expected = adopted;
    expected.log.insert(expected.log.begin(), "warning 1 extern step(s) did not answer, e.g. " + stuck.socket());
    expect("the other one", outcome, expected);
    report_fault({"slurmstepd", "one of two own stepds silent", "adopt one_job, the other", 500}, outcome.milliseconds);
}

TEST_F(Search, ManyOfOthersAreAskedTogether)
{
    for (unsigned job_id = 100; job_id < 160; ++job_id)
        (void)start(job_id, {.uid = bob, .between_bytes = 5ms}, Layout::no_cgroup);
    (void)start(7, {}, Layout::v2);
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("60 slow ones", outcome, adopted);
    // One after the other would take 60 times 40 ms.
    report_fault({"slurmstepd", "60 slow stepds of others", "adopt one_job", 60 * 40 / 2}, outcome.milliseconds);
}

// More than are asked at once: those behind them in the line are asked all the same.
TEST_F(Search, MoreStuckOnesThanAreAskedAtOnceHideNobody)
{
    StepdScript stuck = {.uid = bob};
    stuck.accepts = false;
    for (unsigned job_id = 1000; job_id < 1260; ++job_id)
        if (job_id != 1130) (void)start(job_id, stuck, Layout::no_cgroup);
    Roots by_name;
    by_name.proc = "/proc/.";  // another name for it: /proc/net/unix instead of netlink, which makes the list a sorted one
    double longest = 0;
    for (const unsigned job_id : {1U, 7U, 1130U, 9999U}) {  // wherever in the line that is
        FakeStepd& mine = start(job_id, {}, Layout::v2);
        const Outcome outcome = log_in({.options = {"strict", "timeout=3"}, .roots = by_name});
        EXPECT_EQ(outcome.complaints, "");
        EXPECT_EQ(outcome.code, "success") << "job " << job_id;
        longest = std::max(longest, outcome.milliseconds);
        EXPECT_EQ(mine.seen().adopt, 1);
        stepds_.pop_back();
    }
    report_fault({"slurmstepd", "260 stepds of others that do not accept, more than are asked at once", "adopt one_job", 1500}, longest);
}

TEST_F(Search, FewDescriptorsAreEnough)
{
    for (unsigned job_id = 100; job_id < 140; ++job_id) (void)start(job_id, {.uid = bob}, Layout::no_cgroup);
    (void)start(7, {}, Layout::v2);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit few{24, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const Outcome outcome = log_in({.options = {"strict"}});
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    expect("RLIMIT_NOFILE 24", outcome, adopted);
    report_fault({"slurmstepd", "40 stepds of others, 24 descriptors", "adopt one_job", 1500}, outcome.milliseconds);
}

}  // namespace
}  // namespace slurm_adopt::test
