// SPDX-License-Identifier: GPL-2.0-or-later
// Users without an extern step: what the controller says of them, and what is waited for. The helper is a script that
// answers what it is told to.
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "node_test.h"
#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;
using helper_wire::ControllerJob;
using helper_wire::JobsReply;
using helper_wire::JobsStatus;
using helper_wire::JobState;

constexpr uid_t alice_uid = 41001;

ControllerJob job(std::uint32_t id, JobState state, std::uint32_t running_s = 60, std::uint32_t uid = alice_uid)
{
    return {id, uid, static_cast<std::uint32_t>(state), running_s};
}

const std::string starting_message = "error Access denied: your job 7 is still starting on HOST. Try again in a moment.";
const std::string no_step_message = "error Access denied: your job 7 runs on HOST, but has no extern step there (no_extern_step). "
                                    "Please tell your administrator this line.";
const std::string no_step_warning =
    "warning job 7 of user alice runs here, as the controller says, but has no extern step: slurm.conf had no PrologFlags=contain "
    "when it began, or its slurmstepd has died";

Expected refused(const std::string& reason, int job, const std::string& message)
{
    return {"perm_denied", {decided("notice deny " + reason, 0, job, "-", "closed")}, {message}};
}

const Expected without_a_job = refused("no_jobs", 0, no_job_message);
const Expected adopted = {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}};

class WithoutStep : public NodeTest {
protected:
    // A helper that says this, whatever the question; it writes down that it was started.
    std::string answering(const std::vector<std::byte>& reply)
    {
        spool_.write("reply", std::string(reinterpret_cast<const char*>(reply.data()), reply.size()));
        return helper("echo x >>" + spool_ / "asked" + "; " + say_reply());
    }
    std::string answering(const std::vector<ControllerJob>& jobs)
    {
        JobsReply reply;
        reply.status = static_cast<std::uint32_t>(JobsStatus::answered);
        reply.count = static_cast<std::uint32_t>(jobs.size());
        std::copy(jobs.begin(), jobs.end(), reply.jobs.begin());
        return answering(encode(helper_wire::Verb::jobs, reply));
    }
    // What is unread when it ends would reset the connection, and take the reply along.
    std::string say_reply() const
    {
        const std::size_t question = sizeof(helper_wire::Header) + sizeof(helper_wire::JobsRequest);
        return "head -c " + std::to_string(question) + " <&3 >/dev/null; exec cat " + spool_ / "reply" + " >&3";
    }
    std::string helper(const std::string& body)
    {
        const std::string path = spool_.write("helper", "#!/bin/sh\n" + body + '\n');
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        return "helper=" + path;
    }
    bool was_asked() const { return std::filesystem::exists(spool_ / "asked"); }
    // A slurmstepd that begins while the login waits; it lives as long as the thread that has started it.
    template <class Meanwhile>
    Outcome log_in_while(const Login& login, Meanwhile meanwhile)
    {
        Outcome outcome;
        std::thread waiting([&] { outcome = log_in(login); });
        std::this_thread::sleep_for(500ms);
        meanwhile();
        waiting.join();
        return outcome;
    }
};

TEST_F(WithoutStep, WhoHasNoJobIsRefusedAtOnce)
{
    for (const auto& jobs : {std::vector<ControllerJob>{}, {job(7, JobState::ending)}, {job(7, JobState::starting, 0, 41002)}}) {
        const Outcome outcome = log_in({.options = {"strict", "controller=rpc", "wait_for_job=30", answering(jobs)}});
        expect("no job", outcome, without_a_job);
        EXPECT_LT(outcome.milliseconds, 5000);
    }
}

TEST_F(WithoutStep, AJobThatIsStarting)
{
    const std::string says = answering({job(7, JobState::starting)});
    const Outcome at_once = log_in({.options = {"strict", "controller=rpc", says}});
    expect("at once", at_once, refused("job_starting", 7, starting_message));
    EXPECT_LT(at_once.milliseconds, 3000);
    const Outcome waited = log_in({.options = {"strict", "controller=rpc", "wait_for_job=1", says}});
    expect("after a second", waited, refused("job_starting", 7, starting_message));
    EXPECT_GE(waited.milliseconds, 1000);
    EXPECT_LT(waited.milliseconds, 3000);
    Expected ignored = {"ignore", {decided("info ignore job_starting", 0, 7, "-", "closed")}};
    expect("as action_no_jobs says", log_in({.options = {"strict", "controller=rpc", "action_no_jobs=ignore", says}}), ignored);
    Expected quiet = refused("job_starting", 7, "");
    quiet.told.clear();
    expect("quiet", log_in({.options = {"strict", "quiet", "controller=rpc", says}}), quiet);
}

TEST_F(WithoutStep, AJobThatRunsWithoutAnExternStep)
{
    const std::string says = answering({job(7, JobState::running)});
    Expected expected = refused("no_extern_step", 7, no_step_message);
    expected.log.insert(expected.log.begin(), no_step_warning);
    expect("at once", log_in({.options = {"strict", "controller=rpc", says}}), expected);
    const Outcome waited = log_in({.options = {"strict", "controller=rpc", "wait_for_job=30", says}});
    expect("its step may come after a long prolog", waited, expected);
    EXPECT_LT(waited.milliseconds, 5000);
}

TEST_F(WithoutStep, TheStepComesWhileTheLoginWaits)
{
    for (const std::string controller : {"controller=rpc", "controller=none"}) {
        Node node;
        const Outcome outcome = log_in_while({.options = {"strict", "wait_for_job=20", controller, answering({job(7, JobState::starting)})}},
                                             [&] { (void)node.start(7); });
        expect(controller, outcome, adopted);
        EXPECT_TRUE(is_in(outcome, node.stepds.front().cgroup()));
        EXPECT_GE(outcome.milliseconds, 500);
        EXPECT_LT(outcome.milliseconds, 10000);
    }
}

TEST_F(WithoutStep, TheStepComesWhileTheControllerIsAsked)
{
    for (const JobState state : {JobState::starting, JobState::running}) {
        Node node;
        (void)answering({job(7, state)});
        const std::string slow = helper("sleep 1; " + say_reply());
        expect("looks once more", log_in_while({.options = {"strict", "controller=rpc", slow}}, [&] { (void)node.start(7); }), adopted);
    }
}

TEST_F(WithoutStep, StepsOfOthersDoNotEndTheWait)
{
    const Outcome outcome = log_in_while({.options = {"strict", "wait_for_job=2"}}, [&] { (void)start(9, {.uid = bob}, Layout::v2); });
    expect("not his", outcome, without_a_job);
    EXPECT_GE(outcome.milliseconds, 2000);
    EXPECT_LT(outcome.milliseconds, 5000);
}

TEST_F(WithoutStep, TheDeadlineStaysStrict)
{
    const Outcome outcome = log_in_while({.options = {"strict", "wait_for_job=2", "timeout=1"}}, [&] {
        (void)start(7, {.fault = Fault::hang, .at = Step::version});
    });
    EXPECT_EQ(outcome.code, "perm_denied");
    EXPECT_EQ(outcome.complaints, "");
    EXPECT_EQ(outcome.log.back(), decided("notice deny adopt_timeout", 1, 0, "-", "closed"));
    EXPECT_LT(outcome.milliseconds, 4500) << "a second, and two of waiting";
}

TEST_F(WithoutStep, AControllerThatDoesNotAnswerChangesNothing)
{
    JobsReply malformed;
    malformed.status = static_cast<std::uint32_t>(JobsStatus::malformed);
    JobsReply unreachable;
    unreachable.status = static_cast<std::uint32_t>(JobsStatus::unreachable);
    std::vector<std::byte> garbage(5000, std::byte{'A'});
    auto cut = encode(helper_wire::Verb::jobs, JobsReply{});
    cut.resize(cut.size() - 1);
    const auto expect_said = [this](const char* what, const std::string& helper, const std::string& said) {
        const Outcome outcome = log_in({.options = {"strict", "controller=rpc", "controller_timeout=1", helper}});
        expect(what, outcome, without_a_job);
        EXPECT_LT(outcome.milliseconds, 4000) << what;
        const Outcome debug = log_in({.options = {"strict", "controller=rpc", "controller_timeout=1", "log_level=debug", helper}});
        ASSERT_EQ(debug.log.size(), 2U) << what;
        EXPECT_TRUE(debug.log[0].starts_with("debug controller: ")) << what << ": " << debug.log[0];
        EXPECT_NE(debug.log[0].find(said), std::string::npos) << what << ": " << debug.log[0];
    };
    expect_said("malformed", answering(encode(helper_wire::Verb::jobs, malformed)), "the controller's answer is none");
    expect_said("unreachable", answering(encode(helper_wire::Verb::jobs, unreachable)), "the controller does not answer");
    expect_said("failed", answering(encode(helper_wire::Verb::jobs, JobsReply{})), "the controller could not be asked");
    expect_said("garbage", answering(garbage), "helper");
    expect_said("cut", answering(cut), "helper");
    expect_said("another answer", answering(encode(helper_wire::Verb::times, helper_wire::TimesReply{})), "helper");
    expect_said("hangs", helper("sleep 60"), "killed at its deadline");
    expect_said("crashes", helper("kill -SEGV $$"), "killed by signal 11");
    expect_said("missing", "helper=" + spool_ / "nowhere", "nowhere");
}

TEST_F(WithoutStep, RestIsAskedByTheNeighbour)
{
    (void)answering({job(7, JobState::starting)});
    std::filesystem::copy_file(spool_ / "helper", spool_ / "slurm-adopt-rest");
    const std::string wrong = helper("exit 7");
    expect("slurm-adopt-rest",
           log_in({.options = {"strict", "controller=rest", "rest_url=http://127.0.0.1:1", "rest_token_file=/t", wrong}}),
           refused("job_starting", 7, starting_message));
}

TEST_F(WithoutStep, NobodyElseIsAskedAboutOrWaits)
{
    const std::string says = answering({job(7, JobState::starting)});
    const auto quick = [&](const char* what, Login login) {
        login.options.insert(login.options.end(), {"controller=rpc", "wait_for_job=30", says});
        const Outcome outcome = log_in(login);
        EXPECT_LT(outcome.milliseconds, 5000) << what;
        EXPECT_NE(outcome.code, "perm_denied") << what;
        EXPECT_FALSE(was_asked()) << what;
    };
    quick("root", {.user = "root", .options = {"strict"}});
    quick("root with jobs", {.user = "root", .options = {"strict", "ignore_root=0"}});
    quick("exempt", {.options = {"strict", "exempt_users=alice"}});
    quick("another service", {.options = {"strict"}, .service = "su"});
    quick("no such user", {.user = "nobody-at-all", .options = {"strict"}});
    quick("session phase", {.options = {"strict"}, .phases = Phases::session});
    (void)start(7);
    quick("who has a job", {.options = {"strict"}});
}

TEST_F(WithoutStep, AnOwnStepThatIsSilentIsNoMissingOne)
{
    (void)start(7, {.fault = Fault::hang, .at = Step::version});
    const Outcome outcome = log_in({.options = {"strict", "timeout=1", "controller=rpc", "wait_for_job=30", answering({job(7, JobState::running)})}});
    EXPECT_EQ(outcome.log.back(), decided("notice deny adopt_timeout", 1, 0, "-", "closed"));
    EXPECT_FALSE(was_asked());
}

}  // namespace
}  // namespace slurm_adopt::test
