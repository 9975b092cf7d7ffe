// SPDX-License-Identifier: GPL-2.0-or-later
// keyboard-interactive: sshd authenticates and runs the account phase in a child of its own, which is gone when the
// session begins.
#include <gtest/gtest.h>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "sshd.h"

namespace slurm_adopt::e2e {
namespace {

class MethodsOfAForkedChild : public ::testing::TestWithParam<const char*> {
protected:
    std::vector<std::string> stack(const std::vector<std::string>& lines) const
    {
        std::vector<std::string> whole = method_.auth;
        whole.emplace_back("account required pam_unix.so");
        whole.insert(whole.end(), lines.begin(), lines.end());
        whole.emplace_back("session required pam_unix.so");
        return whole;
    }

    // A session of alice's, as it is after "up".
    struct Seen {
        std::string output;
        std::vector<Process> processes;
        std::string error;
    };
    Seen look_at_a_session() const
    {
        Background session(server_.client("ssh", {"alice@node", "echo JOB=$SLURM_JOB_ID; echo up; exec cat"}));
        if (!session.says("up\n")) return {session.output(), {}, session.wait(std::chrono::seconds{1}).err};
        return {session.output(), server_.connections_with("cat"), {}};
    }

    const Method& method_ = method(GetParam());
    const Sshd server_{method_};
};

// What this is about: with Slurm's own module the session believes that it is in the job, and is not.
TEST_P(MethodsOfAForkedChild, TheirSessionIsOutside)
{
    ASSERT_NE(cluster().their_module, "") << "package libpam-slurm-adopt is not installed";
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", stack({account_line("action_adopt_failure=deny", cluster().their_module)}));
    const Seen seen = look_at_a_session();
    EXPECT_NE(seen.output.find("JOB=" + job.id_text() + '\n'), std::string::npos) << seen.output << seen.error;
    EXPECT_EQ(count_of("cat", seen.processes), 1) << describe(seen.processes);
    const std::string inside = inside_of(job, seen.processes);
    EXPECT_TRUE(inside.empty()) << "inside the job:\n" << inside;
}

TEST_P(MethodsOfAForkedChild, OurSessionIsInside)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", stack({account_line("strict")}));
    const LogMark mark;
    const Seen seen = look_at_a_session();
    EXPECT_NE(seen.output.find("JOB=" + job.id_text() + '\n'), std::string::npos) << seen.output << seen.error;
    EXPECT_EQ(count_of("cat", seen.processes), 1) << describe(seen.processes);
    const std::string outside = outside_of(job, seen.processes);
    EXPECT_TRUE(outside.empty()) << "outside the job:\n" << outside;
    const Decision decision = mark.decision("alice");
    EXPECT_EQ(decision["decision"], "adopt") << decision.line;
    EXPECT_EQ(decision["verified"], "yes") << decision.line;
}

TEST_P(MethodsOfAForkedChild, OurSessionEndsWithTheJob)
{
    Job job = Job::allocate("alice");
    const Stack sshd("sshd", stack({account_line("strict")}));
    Background session(server_.client("ssh", {"alice@node", "echo up; exec cat"}));
    ASSERT_TRUE(session.says("up\n")) << session.wait(std::chrono::seconds{1}).err;
    job.cancel();
    const Finished ended = session.wait();
    EXPECT_NE(ended.code, 0);
    EXPECT_NE(ended.code, 124) << "the session was still there: " << describe(server_.connections());
    EXPECT_TRUE(server_.wait_until_idle()) << describe(server_.connections());
}

// The listener is the parent of the monitor, and must never be adopted: it would die with the job, and take every later
// login along.
TEST_P(MethodsOfAForkedChild, TheListenerStaysOutside)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", stack({account_line("strict")}));
    const Seen seen = look_at_a_session();
    EXPECT_EQ(count_of("cat", seen.processes), 1) << seen.error;
    const std::vector<Process> whole = server_.listener();
    ASSERT_FALSE(whole.empty());
    EXPECT_NE(whole.front().title.find("[listener]"), std::string::npos) << describe(whole);
    EXPECT_FALSE(is_inside(whole.front().cgroup, job)) << describe(whole);
}

TEST_P(MethodsOfAForkedChild, RefusesWithoutAJob)
{
    const Stack sshd("sshd", stack({account_line("strict")}));
    const LogMark mark;
    const Finished session = run(server_.client("ssh", {"alice@node", "id"}));
    EXPECT_EQ(session.code, 255) << session.out;
    EXPECT_EQ(mark.decision("alice")["reason"], "no_jobs") << mark.decision("alice").line;
}

// That the answers are compared at all: the second factor alone is wrong.
TEST_P(MethodsOfAForkedChild, RefusesAWrongCode)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", stack({account_line("strict")}));
    Command command = server_.client("ssh", {"alice@node", "id"});
    answer_prompts(command, "135791");
    const Finished session = run(command);
    EXPECT_EQ(session.code, 255) << session.out;
    EXPECT_NE(session.err.find("Permission denied (keyboard-interactive)"), std::string::npos) << session.err;
}

INSTANTIATE_TEST_SUITE_P(, MethodsOfAForkedChild,
                         ::testing::Values("keyboard_interactive", "publickey_and_keyboard_interactive"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace slurm_adopt::e2e
