// SPDX-License-Identifier: GPL-2.0-or-later
// A job that ends between probing and adopting: looked up once more, and never unconfined with strict.
#include <sys/wait.h>

#include <thread>

#include "decision_of.h"
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

// It would adopt, and say that it has.
TEST_F(StepEnded, EndingStillIsNoJob)
{
    FakeStepd& stepd = start(7, {.state = 3});
    expect("strict", log_in({.options = {"strict"}}),
           {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
    expect("no failure that an option lets in for", log_in({.options = {"log_level=verbose"}}),
           {"perm_denied",
            {"info job 7 is ending: no job to log in to", decided("notice deny no_jobs", 0, 0, "-", "open")},
            {no_job_message}});
    EXPECT_EQ(log_in({.options = {"strict", "action_no_jobs=ignore"}}).code, "ignore");
    EXPECT_EQ(stepd.seen().adopt, 0) << "who is not let in is not moved into it";
}

TEST_F(StepEnded, EndingIsNoneToChooseFrom)
{
    FakeStepd& runs = start(7, {});
    (void)start(8, {.state = 3});
    for (const char* action : {"newest", "deny", "allow"}) {
        const Outcome outcome = log_in({.options = {"strict", "action_unknown=" + std::string(action)}});
        expect(action, outcome, {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}});
        EXPECT_TRUE(is_in(outcome, runs.cgroup())) << action;
    }
}

TEST_F(StepEnded, EndingHidesNoneThatIsSlow)
{
    (void)start(8, {.state = 3});
    FakeStepd& slow = start(7, {.accepts_after = 600ms});
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("waited for", outcome, {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}});
    EXPECT_TRUE(is_in(outcome, slow.cgroup()));
    report_fault({"slurmstepd", "own job's stepd answers after 0.6 s, another own job is ending", "adopt one_job", 2000}, outcome.milliseconds);
}

TEST_F(StepEnded, EndingHidesNoneThatIsSilent)
{
    (void)start(8, {.state = 3});
    (void)start(7, {.fault = Fault::hang, .at = Step::version});
    const Outcome outcome = log_in({.options = {"timeout=1", "action_adopt_failure=deny", "action_no_jobs=ignore"}});
    EXPECT_EQ(outcome.code, "perm_denied");
    EXPECT_EQ(decision_of(outcome), "deny adopt_timeout");
    report_fault({"slurmstepd", "own job's stepd is silent, another own job is ending", "deny adopt_timeout", 1300}, outcome.milliseconds);
}

// It was alive when it was asked whose it is. The process is in it by now, and must not stay.
TEST_F(StepEnded, EndsWhileItAdopts)
{
    const std::string is_ending = "warning job 7: the step is ending";
    for (const StepdScript& script : {StepdScript{.adopted_state = 3}, StepdScript{.adopt_result = -1, .adopted_state = 3}}) {
        end_all();
        (void)start(7, script);
        expect("whatever the options say", log_in({.options = {"action_no_jobs=ignore", "action_adopt_failure=allow"}}),
               {"perm_denied",
                {is_ending, is_ending, decided("notice deny adopt_step_ended", 1, 7, "-", "open")},
                {adopt_failure_message("adopt_step_ended")}});
    }
}

TEST_F(StepEnded, EndsWhileItAdoptsAndAnotherRuns)
{
    FakeStepd& older = start(7, {});
    (void)start(8, {.adopted_state = 3});
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("the older job, and no other look", outcome,
           {"success",
            {"warning job 8: the step is ending", decided("info adopt newest_job", 2, 7, "yes", "closed")},
            {"info You have 2 jobs on HOST; this login was placed into job 7. For another one: srun --overlap --pty --jobid=<JOBID> bash"},
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
        FakeStepd& dying = node.start(7, {.dies_after_answer = 30ms}, Layout::v2);
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
