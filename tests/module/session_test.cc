// SPDX-License-Identifier: GPL-2.0-or-later
// The session phase: where the account phase put the process it has to be when the session begins.
#include <fcntl.h>
#include <unistd.h>

#include "in_child.h"
#include "mount_namespace.h"
#include "node_test.h"

namespace slurm_adopt::test {
namespace {

Who in_session()
{
    return {.phase = "session"};
}

std::string account_line(const std::string& verdict_and_reason, int jobs, int job, const std::string& on_failure = "closed")
{
    return decided(verdict_and_reason, jobs, job, "yes", on_failure);
}

std::string session_line(const std::string& verdict_and_reason, int jobs, int job, const std::string& verified = "yes",
                         const std::string& on_failure = "closed")
{
    return decided(verdict_and_reason, jobs, job, verified, on_failure, in_session());
}

class Session : public NodeTest {
protected:
    static Login both(std::function<void()> between = {}, std::vector<std::string> options = {"strict"})
    {
        return {.options = std::move(options), .phases = Phases::both, .between = std::move(between)};
    }
};

TEST_F(Session, StaysWhereTheAccountPhasePutIt)
{
    FakeStepd& stepd = start(7, {.display = 10});
    const Outcome outcome = log_in(both());
    expect("not moved", outcome,
           {"success",
            {account_line("info adopt one_job", 1, 7), session_line("info adopt account_job", 1, 7)},
            {},
            {"SLURM_JOB_ID=7", "DISPLAY=localhost:10.0"}});
    EXPECT_TRUE(is_in(outcome, stepd.cgroup()));
    EXPECT_EQ(stepd.seen().connections, 1) << "the kernel tells: nobody is asked";
    EXPECT_EQ(stepd.seen().adopt, 1);
}

// As pam_systemd does.
TEST_F(Session, IsPutBackWhereItWas)
{
    FakeStepd& stepd = start(7);
    const Outcome outcome = log_in(both(leave_cgroups));
    expect("moved", outcome,
           {"success",
            {account_line("info adopt one_job", 1, 7), session_line("info adopt account_job", 1, 7)},
            {},
            {"SLURM_JOB_ID=7"}});
    EXPECT_TRUE(is_in(outcome, stepd.cgroup())) << outcome.cgroup;
    EXPECT_EQ(stepd.seen().adopt, 2);
}

TEST_F(Session, InTheJobsNamespacesIsPutBackAndJoinsThemOnce)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    ASSERT_TRUE(offered);
    for (const std::int32_t version : {release_25_05, release_26_05}) {
        Node node;
        FakeStepd& stepd = node.start(7, {.version = version, .namespaces = {{CLONE_NEWNS, offered.get()}}});
        const Outcome outcome = log_in(both(leave_cgroups));
        EXPECT_EQ(outcome.complaints, "") << "nothing stays open behind the handle's end";
        EXPECT_EQ(outcome.code, "success");
        EXPECT_EQ(outcome.mount_namespace, name);
        EXPECT_TRUE(is_in(outcome, stepd.cgroup())) << outcome.cgroup;
        EXPECT_EQ(stepd.seen().adopt, 2);
        EXPECT_EQ(stepd.seen().namespace_26 + stepd.seen().namespaces_28, 1);
    }
}

// The process is in the job's namespaces by then: neither another job's session nor an unconfined one may begin there.
TEST_F(Session, InTheNamespacesOfAJobThatEndedIsRefusedWhateverTheOptionsSay)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    for (const bool another : {false, true}) {
        Node node;
        if (another) (void)node.start(6);
        const FakeStepd& newest = node.start(7, {.namespaces = {{CLONE_NEWNS, offered.get()}}});
        const auto end = [&] {
            leave_cgroups();
            (void)::kill(newest.pid(), SIGKILL);
            (void)::unlink(newest.socket().c_str());
        };
        const Outcome outcome = log_in(both(end, {"spool_dir=" + node.spool.path()}));
        EXPECT_EQ(outcome.code, "perm_denied") << another;
        EXPECT_NE(outcome.log.back().find("decision=deny reason=adopt_step_ended"), std::string::npos) << outcome.log.back();
    }
}

TEST_F(Session, KeepsTheJobOfTheAccountPhaseAmongSeveral)
{
    FakeStepd& older = start(7);
    (void)start(6);
    FakeStepd& newer = start(9);
    // The account phase took 7, whatever the session phase would choose by itself.
    const Outcome outcome = log_in({.options = {"strict", "action_unknown=deny"}, .phases = Phases::session, .environment = {"SLURM_JOB_ID=7"}});
    expect("by the environment", outcome,
           {"success", {session_line("info adopt account_job", 3, 7)}, {}, {"SLURM_JOB_ID=7"}});
    EXPECT_TRUE(is_in(outcome, older.cgroup())) << outcome.cgroup;
    EXPECT_EQ(newer.seen().adopt, 0);
}

TEST_F(Session, AForeignJobInTheEnvironmentIsNone)
{
    FakeStepd& mine = start(7);
    FakeStepd& bobs = start(9, {.uid = bob});
    for (const char* claim : {"9", "4711", "nonsense", "", "-1", "99999999999"}) {
        const std::string variable = std::string("SLURM_JOB_ID=") + claim;
        const Outcome outcome = log_in({.options = {"strict"}, .phases = Phases::session, .environment = {variable}});
        expect(claim, outcome, {"success", {session_line("info adopt one_job", 1, 7)}, {}, {"SLURM_JOB_ID=7"}});
        EXPECT_TRUE(is_in(outcome, mine.cgroup())) << claim;
    }
    EXPECT_EQ(bobs.seen().adopt, 0);
}

TEST_F(Session, OfAnotherUserIsNotInTheFirstOnesJob)
{
    (void)start(7);
    Login login = both();
    login.user_of_session = "bob";
    // bob has no job, as the target of sudo: nobody's business, and alice's job is nothing that he has lost.
    EXPECT_EQ(log_in(login).code, "ignore");
    FakeStepd& bobs = start(9, {.uid = bob});
    const Outcome outcome = log_in(login);
    EXPECT_EQ(outcome.code, "success");
    EXPECT_NE(outcome.log.back().find("reason=one_job user=bob"), std::string::npos) << outcome.log.back();
    EXPECT_TRUE(is_in(outcome, bobs.cgroup())) << outcome.cgroup;
}

TEST_F(Session, OfAnotherUserInTheFirstOnesNamespacesIsRefused)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    (void)start(7, {.namespaces = {{CLONE_NEWNS, offered.get()}}});
    for (const std::string options : {"strict", "strict=0"}) {
        Login login = both({}, {options});
        login.user_of_session = "bob";
        EXPECT_EQ(log_in(login).code, "perm_denied") << "in alice's namespaces";
        const FakeStepd& bobs = start(9, {.uid = bob});
        EXPECT_EQ(log_in(login).code, "perm_denied") << "in alice's namespaces, with a job of his own";
        EXPECT_EQ(bobs.seen().adopt, 0);
        stepds_.pop_back();
    }
}

TEST_F(Session, AnUnverifiedAdoptionIsRefusedByASessionLineThatIsStrict)
{
    (void)start(7, {}, Layout::no_cgroup);
    Login login = both({}, {});
    login.options_of_session = {"strict"};
    const Outcome outcome = log_in(login);
    EXPECT_EQ(outcome.code, "perm_denied");
    EXPECT_NE(outcome.log.back().find("reason=adopt_unverifiable"), std::string::npos) << outcome.log.back();
    const Outcome lax = log_in(both({}, {}));
    expect("not strict", lax,
           {"success",
            {decided("info adopt one_job", 1, 7, "no", "open"), session_line("info adopt account_job", 1, 7, "no", "open")},
            {},
            {"SLURM_JOB_ID=7"}});
}

TEST_F(Session, WithoutAJobItIsNoneOfOurBusiness)
{
    expect("nobody had one", log_in({.options = {"strict"}, .phases = Phases::session}),
           {"ignore", {session_line("info ignore no_jobs", 0, 0, "-")}});
    (void)start(9, {.uid = bob});
    expect("bob has one", log_in({.options = {"strict"}, .phases = Phases::session}),
           {"ignore", {session_line("info ignore no_jobs", 0, 0, "-")}});
}

TEST_F(Session, AJobThatEndedInBetweenIsAFailedAdoption)
{
    const std::vector<std::string> had_one = {"SLURM_JOB_ID=7"};
    expect("strict", log_in({.options = {"strict"}, .phases = Phases::session, .environment = had_one}),
           {"perm_denied",
            {session_line("notice deny adopt_step_ended", 0, 7, "-")},
            {adopt_failure_message("adopt_step_ended")},
            had_one});
    expect("default", log_in({.phases = Phases::session, .environment = had_one}),
           {"success", {session_line("warning allow adopt_step_ended", 0, 7, "-", "open")}, {}, had_one});
}

TEST_F(Session, ByItselfItChoosesAsTheAccountPhase)
{
    FakeStepd& stepd = start(7);
    const Outcome one = log_in({.options = {"strict"}, .phases = Phases::session});
    expect("one job", one, {"success", {session_line("info adopt one_job", 1, 7)}, {}, {"SLURM_JOB_ID=7"}});
    EXPECT_TRUE(is_in(one, stepd.cgroup()));
    (void)start(9);
    const Outcome several = log_in({.options = {"strict", "action_unknown=deny"}, .phases = Phases::session});
    EXPECT_EQ(several.code, "perm_denied");
    EXPECT_NE(several.log.back().find("reason=unknown_job"), std::string::npos) << several.log.back();
}

TEST_F(Session, StaysInTheJobThatTheProcessIsInAlready)
{
    FakeStepd& older = start(7);
    FakeStepd& newer = start(9);
    // As in `su - alice` out of her own session: nobody is to change the job by it.
    for (const Phases phase : {Phases::account, Phases::session}) {
        const ChildResult child = in_child([&] {
            older.pull_in(::getpid());
            const Outcome outcome = log_in({.options = {"strict", "action_unknown=deny"}, .phases = phase});
            return std::vector<std::string>{outcome.code, outcome.log.empty() ? "" : outcome.log.back(), outcome.cgroup};
        });
        ASSERT_EQ(child.trouble, "");
        ASSERT_EQ(child.lines.size(), 3U);
        EXPECT_EQ(child.lines[0], "success") << child.lines[1];
        EXPECT_NE(child.lines[1].find("reason=current_job"), std::string::npos) << child.lines[1];
    }
    EXPECT_EQ(newer.seen().adopt, 0);
}

TEST_F(Session, OptionsAndRootAreAsInTheAccountPhase)
{
    (void)start(7);
    expect("another service", log_in({.options = {"strict", "log_level=quiet"}, .service = "su-l", .phases = Phases::session}), {"ignore", {}});
    const std::string unknown_option = log_in({.options = {"nonsense", "log_level=quiet"}}).log.front();
    expect("root", log_in({.user = "root", .options = {"nonsense", "log_level=quiet"}, .phases = Phases::session}),
           {"ignore", {unknown_option}});
    EXPECT_EQ(log_in({.options = {"nonsense"}, .phases = Phases::session}).code, "perm_denied");
    EXPECT_EQ(log_in({.options = {"exempt_users=alice"}, .phases = Phases::session}).code, "ignore");
}

TEST_F(Session, WhatCannotBeKeptIsLookedForAgain)
{
    FakeStepd& stepd = start(7);
    Login login = both();
    login.set_data_result = PAM_BUF_ERR;
    const Outcome outcome = log_in(login);
    EXPECT_EQ(outcome.code, "success");
    EXPECT_TRUE(is_in(outcome, stepd.cgroup()));
    EXPECT_EQ(stepd.seen().adopt, 2);
}

TEST_F(Session, AHungSlurmstepdCostsTheTimeoutAndStrictRefuses)
{
    (void)start(7, {.fault = Fault::hang, .at = Step::adopt});
    const Outcome outcome = log_in({.options = {"strict", "timeout=1"}, .phases = Phases::session});
    EXPECT_EQ(outcome.code, "perm_denied");
    EXPECT_LT(outcome.milliseconds, 2500);
}

}  // namespace
}  // namespace slurm_adopt::test
