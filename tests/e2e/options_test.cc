// SPDX-License-Identifier: GPL-2.0-or-later
// Options that are wrong: a typo must never open a node.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <optional>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

struct WrongOption {
    const char* options;
    const char* names;    // what the log line has to name
    const char* allowed;  // what it has to say is allowed
};

class WrongOptions : public ::testing::TestWithParam<WrongOption> {
protected:
    // Neither a job nor the want of one makes a difference.
    static void SetUpTestSuite() { job_.emplace(Job::allocate("alice")); }
    static void TearDownTestSuite() { job_.reset(); }
    static inline std::optional<Job> job_;
};

TEST_P(WrongOptions, RefuseEverybodyButRoot)
{
    const WrongOption& wrong = GetParam();
    const LogMark mark;
    const Login login = pam_login("alice", wrong.options);
    EXPECT_EQ(login.result, PAM_PERM_DENIED);
    EXPECT_EQ(login.job, 0U);
    EXPECT_NE(login.messages.find("misconfigured"), std::string::npos) << login.messages;

    const auto lines = mark.lines_with("PAM line");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find(wrong.names), std::string::npos) << lines[0];
    EXPECT_NE(lines[0].find(wrong.allowed), std::string::npos) << lines[0];
    EXPECT_EQ(mark.decision("alice")["reason"], "bad_option");
    EXPECT_EQ(mark.decision("alice")["decision"], "deny");

    EXPECT_EQ(pam_login("bob", wrong.options).result, PAM_PERM_DENIED);
    EXPECT_EQ(pam_login("root", wrong.options).result, PAM_IGNORE);
}

INSTANTIATE_TEST_SUITE_P(
    , WrongOptions,
    ::testing::Values(WrongOption{"action_no_job=deny", "action_no_job", "action_no_jobs"},
                      WrongOption{"denyx", "denyx", "action_no_jobs"},
                      WrongOption{"action_no_jobs=denyx", "action_no_jobs", "deny|ignore"},
                      WrongOption{"action_no_jobs=allow", "action_no_jobs", "deny|ignore"},
                      WrongOption{"Action_no_jobs=deny", "Action_no_jobs", "action_no_jobs"},
                      WrongOption{"action_unknown=", "action_unknown", "newest|allow|deny"},
                      WrongOption{"action_unknown", "action_unknown", "newest|allow|deny"},
                      WrongOption{"log_level=10", "log_level", "0-9"},
                      WrongOption{"disable_x11=10", "disable_x11", "0|1"},
                      WrongOption{"timeout=0", "timeout", "1 to 120"},
                      WrongOption{"timeout=121", "timeout", "1 to 120"},
                      WrongOption{"timeout=99999999999999999999", "timeout", "1 to 120"},
                      WrongOption{"spool_dir=relative", "spool_dir", "absolute path"},
                      WrongOption{"action_no_jobs=ignore action_no_jobs=ignore", "action_no_jobs", "deny|ignore"},
                      WrongOption{"strict=yes", "strict", "0|1"}));

TEST(Options, AWrongOneRefusesRealLogins)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", sshd_stack({account_line("action_no_jobs=ignroe")}));
    const Finished session = ssh("alice", "id");
    EXPECT_EQ(session.code, 255);
    EXPECT_NE(session.err.find("misconfigured"), std::string::npos) << session.err;
    EXPECT_EQ(ssh_job("bob"), -1);
    EXPECT_EQ(ssh_job("root"), 0);
}

TEST(Options, ThoseOfSlurmsModuleAreUnderstood)
{
    const Job job = Job::allocate("alice");
    for (const char* options :
         {"action_no_jobs=deny action_unknown=newest action_adopt_failure=allow action_generic_failure=ignore",
          "disable_x11=0 join_container=true log_level=debug5 ignore_root=1 single_job_skip_rpc=1", "log_level=9", "join_container=false"})
        EXPECT_EQ(pam_login("alice", options).job, job.id()) << options;
    EXPECT_EQ(pam_login("alice", "strict nodename=" + cluster().node).job, job.id());
    EXPECT_EQ(pam_login("alice", "strict nodename=another").result, PAM_PERM_DENIED);
    EXPECT_EQ(pam_login("alice", "strict spool_dir=" + cluster().spool).job, job.id());
}

TEST(Options, WithoutStrictTheLogSaysThatItFailsOpen)
{
    const Job job = Job::allocate("alice");
    const LogMark mark;
    EXPECT_EQ(pam_login("alice", "action_no_jobs=deny").job, job.id());
    EXPECT_EQ(mark.decision("alice")["on_failure"], "open") << mark.decision("alice").line;
    const LogMark strict;
    EXPECT_EQ(pam_login("alice", "strict").job, job.id());
    EXPECT_EQ(strict.decision("alice")["on_failure"], "closed") << strict.decision("alice").line;
}

}  // namespace
}  // namespace slurm_adopt::e2e
