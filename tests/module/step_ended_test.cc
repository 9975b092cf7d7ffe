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
