// SPDX-License-Identifier: GPL-2.0-or-later
// The session phase: what another module has moved elsewhere between the account phase and our session line is put back
// into the job that the account phase took.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <filesystem>
#include <optional>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "processes.h"
#include "sshd.h"

namespace slurm_adopt::e2e {
namespace {

// Stands for pam_systemd: the freezer's root is no job's.
const std::string mover = std::string("session required ") + MOVER_MODULE + " /sys/fs/cgroup/freezer";

std::string session_line(const std::string& options, const std::string& control = "required")
{
    return "session " + control + ' ' + cluster().module + ' ' + options;
}

// Holds a login between two lines of the session stack, until it is opened.
class Pause {
public:
    Pause()
    {
        std::filesystem::remove(reached_);
        std::filesystem::remove(open_);
        // Not for ever, if the test has failed meanwhile.
        write_whole(program_, "#!/bin/sh\n: >" + reached_ + "\ni=0\nuntil [ -e " + open_ +
                                  " ] || [ $((i += 1)) -gt 2000 ]; do sleep 0.01; done\n");
        std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
    }
    std::string line() const { return "session required pam_exec.so quiet " + program_; }
    bool is_reached() const
    {
        return eventually([&] { return std::filesystem::exists(reached_); });
    }
    void open() const { write_whole(open_, ""); }

private:
    const std::string program_ = cluster().directory + "/pause";
    const std::string reached_ = cluster().directory + "/pause.reached";
    const std::string open_ = cluster().directory + "/pause.open";
};

// The last lines of a session stack, which let the one that logs in see our module's own result (see transparent_stack).
std::vector<std::string> transparent_session(const std::string& options)
{
    return {session_line(options, "[success=1 ignore=2 default=die]"), "session requisite pam_debug.so open_session=abort",
            "session [default=done] pam_debug.so open_session=success",
            "session [default=die] pam_debug.so open_session=authinfo_unavail"};
}

class Session : public ::testing::Test {
protected:
    // Both phases of a stack with `account`, then the session lines.
    static std::vector<std::string> stack(const std::string& options, std::vector<std::string> session)
    {
        session.insert(session.begin(), account_line("service=* " + options));
        return session;
    }

    static std::vector<std::string> joined(std::vector<std::string> lines, const std::vector<std::string>& more)
    {
        lines.insert(lines.end(), more.begin(), more.end());
        return lines;
    }

    static Command login()
    {
        Command command = login_command("e2e", "alice");
        command.environment.emplace_back("OPEN_SESSION", "1");
        return command;
    }
    static Login log_in() { return login_of(run(login())); }

    // A login of alice's that is held by `pause` while something happens.
    template <class Meanwhile>
    static Login log_in_while(const Pause& pause, Meanwhile meanwhile)
    {
        Background held(login());
        EXPECT_TRUE(pause.is_reached()) << held.wait(std::chrono::seconds{0}).err;
        meanwhile();
        pause.open();
        return login_of(held.wait());
    }
};

// That the mover moves: without this the others would show nothing.
TEST_F(Session, IsOutsideWithoutOurLine)
{
    const Job job = Job::allocate("alice");
    const Stack lines("e2e", stack("strict", {mover}));
    const Login login = log_in();
    EXPECT_EQ(login.result, PAM_SUCCESS);
    EXPECT_EQ(login.session, PAM_SUCCESS);
    EXPECT_FALSE(is_inside(login.cgroup, job)) << login.cgroup;
    EXPECT_NE(login.cgroup.find(":freezer:/\n"), std::string::npos) << login.cgroup;
}

TEST_F(Session, IsPutBack)
{
    const Job job = Job::allocate("alice");
    const Stack lines("e2e", stack("strict", joined({mover}, transparent_session("strict service=*"))));
    const LogMark mark;
    const Login login = log_in();
    EXPECT_EQ(login.session, PAM_SUCCESS);
    EXPECT_TRUE(is_inside(login.cgroup, job)) << login.cgroup;
    const std::vector<Decision> decisions = mark.decisions("alice");
    ASSERT_EQ(decisions.size(), 2U);
    EXPECT_EQ(decisions[0]["phase"], "account") << decisions[0].line;
    EXPECT_EQ(decisions[1]["phase"], "session") << decisions[1].line;
    EXPECT_EQ(decisions[1]["decision"], "adopt") << decisions[1].line;
    EXPECT_EQ(decisions[1]["job"], job.id_text()) << decisions[1].line;
    EXPECT_EQ(decisions[1]["verified"], "yes") << decisions[1].line;
}

TEST_F(Session, OfSshIsPutBack)
{
    const Job job = Job::allocate("alice");
    for (const bool with_our_line : {false, true}) {
        std::vector<std::string> lines = joined(sshd_stack({account_line("strict")}), {mover});
        if (with_our_line) lines.push_back(session_line("strict"));
        const Stack sshd("sshd", lines);
        const Finished session = ssh("alice", "cat /proc/self/cgroup; echo JOB=$SLURM_JOB_ID");
        EXPECT_EQ(is_inside(session.out, job), with_our_line) << session.out << session.err;
        EXPECT_NE(session.out.find("JOB=" + job.id_text() + '\n'), std::string::npos) << session.out << session.err;
    }
}

TEST_F(Session, StaysWhereNobodyMovesIt)
{
    const Job job = Job::allocate("alice");
    const Stack lines("e2e", stack("strict", transparent_session("strict service=*")));
    const Login login = log_in();
    EXPECT_EQ(login.session, PAM_SUCCESS);
    EXPECT_TRUE(is_inside(login.cgroup, job)) << login.cgroup;
}

TEST_F(Session, IsIgnoredWithoutAJob)
{
    // libpam has no result where every module ignores.
    const Stack lines("e2e", joined({"account required pam_permit.so"},
                                    stack("strict action_no_jobs=ignore",
                                          joined({mover}, transparent_session("strict service=* action_no_jobs=ignore")))));
    const Login login = log_in();
    EXPECT_EQ(login.result, PAM_SUCCESS) << login.messages;
    EXPECT_EQ(login.session, PAM_IGNORE) << login.messages;
}

// Also where the account phase was another module's to decide: an administrator who has no job.
TEST_F(Session, IsIgnoredForWhoeverHasNoJobAndWasLetIn)
{
    const Stack lines("e2e", joined({"account required pam_permit.so"}, transparent_session("strict service=*")));
    EXPECT_EQ(log_in().session, PAM_IGNORE);
}

TEST_F(Session, IsRefusedWhenTheJobHasEndedMeanwhile)
{
    Job job = Job::allocate("alice");
    const Pause pause;
    // Whoever is in the job when it ends is killed: moved out before.
    const Stack lines("e2e", stack("strict", joined({mover, pause.line()}, transparent_session("strict service=*"))));
    const LogMark mark;
    const Login login = log_in_while(pause, [&] { job.cancel(); });
    EXPECT_EQ(login.result, PAM_SUCCESS);
    EXPECT_NE(login.session, PAM_SUCCESS);
    EXPECT_NE(login.session, PAM_IGNORE);
    EXPECT_NE(login.session, -1) << login.error;
    const std::vector<Decision> decisions = mark.decisions("alice");
    ASSERT_EQ(decisions.size(), 2U);
    EXPECT_EQ(decisions[1]["phase"], "session") << decisions[1].line;
    EXPECT_EQ(decisions[1]["decision"], "deny") << decisions[1].line;
}

TEST_F(Session, OfSshIsRefusedWhenTheJobHasEndedMeanwhile)
{
    Job job = Job::allocate("alice");
    const Pause pause;
    const Stack sshd("sshd", joined(sshd_stack({account_line("strict")}), {mover, pause.line(), session_line("strict")}));
    const LogMark mark;
    Background session(ssh_command("alice", "echo admitted"));
    ASSERT_TRUE(pause.is_reached()) << session.wait(std::chrono::seconds{0}).err;
    job.cancel();
    pause.open();
    const Finished ended = session.wait();
    EXPECT_NE(ended.code, 0);
    EXPECT_NE(ended.code, 124) << "it hangs";
    EXPECT_EQ(ended.out.find("admitted"), std::string::npos) << ended.out;
    const std::vector<Decision> decisions = mark.decisions("alice");
    ASSERT_EQ(decisions.size(), 2U);
    EXPECT_EQ(decisions[1]["decision"], "deny") << decisions[1].line;
}

TEST_F(Session, KeepsTheNewestThatTheAccountPhaseTook)
{
    const Job first = Job::allocate("alice");
    const Job second = Job::allocate("alice");
    const Stack lines("e2e", stack("strict", joined({mover}, transparent_session("strict service=*"))));
    const Login login = log_in();
    EXPECT_EQ(login.session, PAM_SUCCESS);
    EXPECT_TRUE(is_inside(login.cgroup, second)) << login.cgroup;
    EXPECT_EQ(login.environment.at("SLURM_JOB_ID"), second.id_text());
}

// Nothing of the child that ran the account phase is left then but the PAM environment.
TEST_F(Session, OfKeyboardInteractiveKeepsTheOlderOneAfterAMove)
{
    const Method& asked = method("keyboard_interactive");
    const Sshd server(asked);
    const Job first = Job::allocate("alice");
    const Pause pause;
    const Stack sshd("sshd", joined(asked.auth, {account_line("strict"), mover, pause.line(), session_line("strict")}));
    Background session(server.client("ssh", {"alice@node", "echo JOB=$SLURM_JOB_ID; exec cat"}));
    ASSERT_TRUE(pause.is_reached()) << session.wait(std::chrono::seconds{0}).err;
    const Job second = Job::allocate("alice");
    pause.open();
    EXPECT_TRUE(session.says("JOB=" + first.id_text() + '\n')) << session.output();
    const std::vector<Process> processes = server.connections_with("cat");
    const std::string outside = outside_of(first, processes);
    EXPECT_EQ(count_of("cat", processes), 1) << describe(processes);
    EXPECT_TRUE(outside.empty()) << "outside the job:\n" << outside;
}

class SessionAndANewerJob : public Session, public ::testing::WithParamInterface<bool> {};

TEST_P(SessionAndANewerJob, KeepsTheOlderOne)
{
    const Job first = Job::allocate("alice");
    std::optional<Job> second;
    const Pause pause;
    std::vector<std::string> before = {pause.line()};
    if (GetParam()) before.insert(before.begin(), mover);
    const Stack lines("e2e", stack("strict", joined(before, transparent_session("strict service=*"))));
    const Login login = log_in_while(pause, [&] { second.emplace(Job::allocate("alice")); });
    EXPECT_EQ(login.session, PAM_SUCCESS);
    EXPECT_TRUE(is_inside(login.cgroup, first)) << login.cgroup;
    EXPECT_EQ(login.environment.at("SLURM_JOB_ID"), first.id_text());
}

INSTANTIATE_TEST_SUITE_P(, SessionAndANewerJob, ::testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "AfterAMove" : "WithoutAMove"); });

}  // namespace
}  // namespace slurm_adopt::e2e
