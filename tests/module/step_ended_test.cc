// SPDX-License-Identifier: GPL-2.0-or-later
// A job that ends between probing and adopting: looked up once more, and never unconfined with strict.
#include <sys/wait.h>

#include <thread>

#include "node_test.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

const std::string once_more = "info a job ended while the login was being adopted; looking once more";
const std::string closed = "warning job 7: the peer closed the connection";

class StepEnded : public NodeTest {};

TEST_F(StepEnded, AnotherLookFindsItAgain)
{
    FakeStepd& flaky =
        start(8, {.moves = false, .fault = Fault::close, .at = Step::adopt, .faulty_connections = 1}, Layout::no_cgroup);
    const Outcome outcome = log_in({.options = {"log_level=verbose"}});
    expect("the second time it answers", outcome,
           {"success",
            {"warning job 8: the peer closed the connection", once_more, decided("info adopt one_job", 1, 8, "no", "open")},
            {},
            {"SLURM_JOB_ID=8"}});
    EXPECT_EQ(flaky.seen().connections, 2);
    report_fault({"slurmstepd", "stepd closes when asked to adopt, and answers the second time", "adopt one_job", 1300}, outcome.milliseconds);
}

TEST_F(StepEnded, NoJobIsLeft)
{
    (void)start(7, {.moves = false, .fault = Fault::die, .at = Step::adopt});
    expect("strict", log_in({.options = {"strict", "log_level=verbose"}}),
           {"perm_denied", {closed, once_more, decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
    end_all();
    (void)start(7, {.moves = false, .fault = Fault::die, .at = Step::adopt});
    expect("fails open, but no job is no failure", log_in({.options = {"log_level=verbose"}}),
           {"perm_denied", {closed, once_more, decided("notice deny no_jobs", 0, 0, "-", "open")}, {no_job_message}});
    end_all();
    (void)start(7, {.moves = false, .fault = Fault::die, .at = Step::adopt});
    expect("info says nothing of the second look", log_in({.options = {"strict"}}),
           {"perm_denied", {closed, decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
}

TEST_F(StepEnded, AnotherJobIsTaken)
{
    // Job 8 was passed over: its owner's name was not known, and job 7 answered.
    FakeStepd& other = start(8, {}, Layout::v2);
    (void)start(9, {.uid = bob});  // makes a freezer tree in which job 8 is not, so that it is only a second choice
    (void)start(7, {.moves = false, .fault = Fault::die, .at = Step::adopt});
    const Outcome outcome = log_in({.options = {"strict", "log_level=verbose"}});
    expect("the other", outcome,
           {"success", {closed, once_more, decided("info adopt one_job", 1, 8, "yes", "closed")}, {}, {"SLURM_JOB_ID=8"}});
    EXPECT_TRUE(is_in(outcome, other.cgroup()));
    report_fault({"slurmstepd", "stepd dies when asked to adopt, another job runs", "adopt one_job, the other", 1300}, outcome.milliseconds);
}

// It adopts, says 0 and is still there: a job that no option lets anybody in for.
TEST_F(StepEnded, EndingStillIsNoJob)
{
    const std::string is_ending = "warning job 7: the step is ending (state 3)";
    FakeStepd& stepd = start(7, {.state = 3});
    for (const char* mode : {"strict", "strict=0"}) {
        const Outcome outcome = log_in({.options = {mode}});
        expect(mode, outcome,
               {"perm_denied",
                {is_ending, is_ending, decided("notice deny no_jobs", 0, 0, "-", mode == std::string("strict") ? "closed" : "open")},
                {no_job_message}});
    }
    EXPECT_EQ(stepd.seen().connections, 4) << "a second look each";
    expect("no job is what the option says", log_in({.options = {"strict", "action_no_jobs=ignore", "log_level=error"}}),
           {"ignore", {is_ending, is_ending}, {}});
}

TEST_F(StepEnded, EndingGivesWayToAnother)
{
    FakeStepd& older = start(7, {});
    (void)start(8, {.state = 3});
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("the older job, and no other look", outcome,
           {"success",
            {"warning job 8: the step is ending (state 3)", decided("info adopt newest_job", 2, 7, "yes", "closed")},
            {"info You have 2 jobs on HOST; this login was placed into job 7."},
            {"SLURM_JOB_ID=7"}});
    EXPECT_TRUE(is_in(outcome, older.cgroup()));
}

TEST_F(StepEnded, OnlyOneMoreLook)
{
    FakeStepd& stepd = start(7, {.adopt_result = -1, .moves = false});
    EXPECT_EQ(log_in({.options = {"strict"}}).code, "perm_denied");
    EXPECT_EQ(stepd.seen().connections, 2);
}

TEST_F(StepEnded, OtherFailuresAreNotLookedAtAgain)
{
    FakeStepd& stepd = start(7, {.moves = false});
    EXPECT_EQ(log_in({.options = {"strict"}}).code, "perm_denied");
    EXPECT_EQ(stepd.seen().connections, 1);
}

// The slurmstepd dies after it has said whose it is. The probe still waits for another one that is silent.
TEST_F(StepEnded, GoneBeforeItCouldBeAsked)
{
    for (const bool reaped : {true, false}) {
        Node node;
        FakeStepd& dying = node.start(7, {.dies_after_uid = 30ms}, Layout::v2);
        (void)node.start(9, {.uid = bob, .fault = Fault::hang, .at = Step::version}, Layout::no_cgroup);
        std::thread reaper([&] {
            // Unreaped it is a zombie, as until slurmd has looked after it.
            siginfo_t info{};
            (void)::waitid(P_PID, static_cast<id_t>(dying.pid()), &info, reaped ? WEXITED : WEXITED | WNOWAIT);
        });
        Outcome outcome = log_in({.options = {"strict", "timeout=1", "log_level=verbose"}});
        reaper.join();
        std::erase_if(outcome.log, [](const std::string& line) { return line.find("did not answer") != std::string::npos; });
        const std::string what = reaped ? "reaped" : "zombie";
        EXPECT_EQ(outcome.complaints, "") << what;
        EXPECT_EQ(outcome.code, "perm_denied") << what;
        ASSERT_EQ(outcome.log.size(), 3U) << what << ": " << outcome.log.back();
        EXPECT_EQ(outcome.log[1], once_more) << what;
        EXPECT_EQ(outcome.log[2], decided("notice deny no_jobs", 0, 0, "-", "closed")) << what;
        report_fault({"slurmstepd", "stepd dies once it has said whose it is, " + what, "deny no_jobs", 1300}, outcome.milliseconds);
    }
}

}  // namespace
}  // namespace slurm_adopt::test
