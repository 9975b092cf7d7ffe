// SPDX-License-Identifier: GPL-2.0-or-later
// Several jobs: the newest, and the next where that one fails.
#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "node_test.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

std::string told(int jobs, int job)
{
    return "info You have " + std::to_string(jobs) + " jobs on HOST; this login was placed into job " + std::to_string(job) +
           ". For another one: srun --overlap --pty --jobid=<JOBID> bash";
}

Expected newest(int jobs, int job)
{
    return {"success",
            {decided("info adopt newest_job", jobs, job, "yes", "closed")},
            {told(jobs, job)},
            {"SLURM_JOB_ID=" + std::to_string(job)}};
}

class SeveralJobs : public NodeTest {
protected:
    // So far apart that the file system's clock tells them apart.
    FakeStepd& start_later(unsigned job_id, const StepdScript& script = {}, Layout layout = Layout::v1)
    {
        std::this_thread::sleep_for(20ms);
        return start(job_id, script, layout);
    }
};

TEST_F(SeveralJobs, TheNewestAlsoWhereALowerIdStartedLater)
{
    for (const Layout layout : {Layout::v1, Layout::v2, Layout::v2_sluid}) {
        Node node;
        for (const unsigned job_id : {3U, 4U, 2U}) {
            node.start(job_id, {}, layout);
            std::this_thread::sleep_for(20ms);
        }
        const Outcome outcome = log_in({.options = {"strict"}});
        expect("released from hold", outcome, newest(3, 2));
        EXPECT_TRUE(is_in(outcome, node.stepds.back().cgroup()));
        EXPECT_EQ(node.stepds.front().seen().adopt, 0);
    }
}

TEST_F(SeveralJobs, WithoutCgroupsTheNewestSocket)
{
    (void)start(5, {}, Layout::no_cgroup);
    FakeStepd& later = start_later(4, {}, Layout::no_cgroup);
    expect("sockets", log_in({}),
           {"success", {decided("info adopt newest_job", 2, 4, "no", "open")}, {told(2, 4)}, {"SLURM_JOB_ID=4"}});
    EXPECT_EQ(later.seen().adopt, 1);
}

TEST_F(SeveralJobs, ATieGoesToTheHighestId)
{
    const timespec same[2] = {{1000, 5}, {1000, 5}};
    for (const unsigned job_id : {9U, 12U, 10U}) {
        const FakeStepd& stepd = start(job_id, {}, Layout::no_cgroup);
        ASSERT_EQ(::utimensat(AT_FDCWD, stepd.socket().c_str(), same, 0), 0);
    }
    EXPECT_EQ(log_in({}).environment, std::vector<std::string>{"SLURM_JOB_ID=12"});
}

TEST_F(SeveralJobs, ActionUnknownDeniesOrAllows)
{
    FakeStepd& first = start(3);
    FakeStepd& second = start(4);
    expect("deny", log_in({.options = {"action_unknown=deny"}}),
           {"perm_denied",
            {decided("notice deny unknown_job", 2, 0, "-", "open")},
            {"error Access denied: you have 2 jobs on HOST and it is not known which one this login belongs to. "
             "Use: srun --overlap --pty --jobid=<JOBID> bash"}});
    const Outcome allowed = log_in({.options = {"action_unknown=allow", "strict"}});
    expect("allow", allowed, {"success", {decided("warning allow unknown_job", 2, 0, "-", "closed")}});
    EXPECT_FALSE(is_in(allowed, first.cgroup()) || is_in(allowed, second.cgroup()));
    EXPECT_EQ(first.seen().adopt + second.seen().adopt, 0);
}

TEST_F(SeveralJobs, WithOneJobActionUnknownDoesNotMatter)
{
    (void)start(3);
    (void)start(9, {.uid = bob});
    EXPECT_EQ(log_in({.options = {"action_unknown=deny", "strict"}}).environment,
              std::vector<std::string>{"SLURM_JOB_ID=3"});
}

TEST_F(SeveralJobs, QuietTellsNothing)
{
    (void)start(3);
    (void)start_later(4);
    Expected expected = newest(2, 4);
    expected.told.clear();
    expect("quiet", log_in({.options = {"strict", "quiet"}}), expected);
    expect("PAM_SILENT", log_in({.options = {"strict"}, .flags = static_cast<int>(PAM_SILENT)}), expected);
}

TEST_F(SeveralJobs, TheNextOneWhereTheNewestFails)
{
    struct Case {
        const char* what;
        StepdScript script;
        std::string warning;
    };
    const std::vector<Case> cases = {
        {"refuses", {.adopt_result = -1, .moves = false}, "warning job 8: slurmstepd answered -1"},
        {"closes",
         {.moves = false, .fault = Fault::close, .at = Step::adopt},
         "warning job 8: the peer closed the connection"},
        {"cannot be joined",
         {.namespaces = {{0, 0}}, .namespace_count = -1},
         "warning job 8: namespaces: slurmstepd could not give the namespace"},
    };
    for (const Case& each : cases) {
        Node node;
        FakeStepd& older = node.start(7);
        std::this_thread::sleep_for(20ms);
        FakeStepd& newer = node.start(8, each.script);
        const Outcome outcome = log_in({.options = {"strict", "timeout=1"}});
        Expected expected = newest(2, 7);
        expected.log.insert(expected.log.begin(), each.warning);
        expect(each.what, outcome, expected);
        EXPECT_TRUE(is_in(outcome, older.cgroup())) << each.what;
        EXPECT_EQ(newer.seen().adopt, 1) << each.what;
        EXPECT_LT(outcome.milliseconds, 950) << each.what << ": a stuck one gets its share of the time, not all of it";
    }
}

// The request lies in its socket: when it wakes up it would tear the session out of the job that took it meanwhile.
TEST_F(SeveralJobs, NobodyElseIsAskedAfterOneThatMayYetAdopt)
{
    FakeStepd& older = start(7);
    std::this_thread::sleep_for(20ms);
    (void)start(8, {.moves = false, .fault = Fault::hang, .at = Step::adopt});
    const Outcome outcome = log_in({.options = {"strict", "timeout=1"}});
    expect("hangs", outcome,
           {"perm_denied",
            {"warning job 8: no answer in time", decided("notice deny adopt_timeout", 2, 8, "-", "closed")},
            {adopt_failure_message("adopt_timeout")}});
    EXPECT_EQ(older.seen().adopt, 0);
    EXPECT_GT(outcome.milliseconds, 950) << "it has all the time: nothing else can come of the login";
    EXPECT_LT(outcome.milliseconds, 1400);
}

// Hundreds of logins at once: the kernel moves one process after the other, and many jobs make a share small.
TEST_F(SeveralJobs, ASlowAdoptionHasAllTheTime)
{
    for (unsigned job_id = 1; job_id <= 9; ++job_id) (void)start(job_id);
    std::this_thread::sleep_for(20ms);
    FakeStepd& newest_job = start(10, {.before_adopting = 700ms});
    const Outcome outcome = log_in({.options = {"strict", "timeout=3"}});
    expect("slow", outcome, newest(10, 10));
    EXPECT_TRUE(is_in(outcome, newest_job.cgroup()));
}

TEST_F(SeveralJobs, ManyJobsOfOneUser)
{
    for (unsigned job_id = 1; job_id <= 40; ++job_id) (void)start(job_id, {}, job_id == 40 ? Layout::v2 : Layout::v1);
    const Outcome outcome = log_in({.options = {"strict"}});
    EXPECT_EQ(outcome.code, "success");
    EXPECT_EQ(outcome.complaints, "");
    int asked = 0;
    for (const FakeStepd& stepd : stepds_) asked += stepd.seen().adopt;
    EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace slurm_adopt::test
