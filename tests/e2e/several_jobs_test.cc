// SPDX-License-Identifier: GPL-2.0-or-later
// A user with several jobs on the node.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

TEST(SeveralJobs, TheNewestIsTakenAndTheUserTold)
{
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    const Job first = Job::allocate("alice");
    const Job second = Job::allocate("alice");
    const Job third = Job::batch("alice");
    const LogMark mark;
    const Finished session = ssh("alice", "cat /proc/self/cgroup; echo JOB=$SLURM_JOB_ID");
    EXPECT_EQ(job_in(session.out), third.id()) << session.err;
    EXPECT_NE(session.out.find("JOB=" + third.id_text()), std::string::npos) << session.out;
    const Decision decision = mark.decision("alice");
    EXPECT_EQ(decision["reason"], "newest_job") << decision.line;
    EXPECT_EQ(decision["jobs"], "3");
    EXPECT_EQ(decision["job"], third.id_text());
    EXPECT_NE(pam_login("alice", "strict").messages.find("job " + third.id_text()), std::string::npos);
}

TEST(SeveralJobs, NewestIsTheLastToStartNotTheHighestNumber)
{
    Job held = Job::held("alice");
    const Job second = Job::batch("alice");
    const Job third = Job::batch("alice");
    EXPECT_EQ(pam_login("alice", "strict").job, third.id());
    held.release();
    const Login login = pam_login("alice", "strict");
    EXPECT_EQ(login.result, PAM_SUCCESS);
    EXPECT_EQ(login.job, held.id());
    EXPECT_EQ(login.environment.at("SLURM_JOB_ID"), held.id_text());

    // Logins change nothing about which job is newest.
    EXPECT_EQ(pam_login("alice", "strict").job, held.id());
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(held.id()));
}

TEST(SeveralJobs, UnknownCanBeDenied)
{
    const Job first = Job::allocate("alice");
    const Job second = Job::allocate("alice");
    const LogMark mark;
    const Login login = pam_login("alice", "strict action_unknown=deny");
    EXPECT_EQ(login.result, PAM_PERM_DENIED);
    EXPECT_EQ(login.job, 0U);
    EXPECT_NE(login.messages.find("2 jobs"), std::string::npos) << login.messages;
    EXPECT_EQ(mark.decision("alice")["reason"], "unknown_job");
    EXPECT_EQ(mark.decision("alice")["decision"], "deny");

    const Stack sshd("sshd", sshd_stack({account_line("strict action_unknown=deny")}));
    EXPECT_EQ(ssh_job("alice"), -1);
}

TEST(SeveralJobs, UnknownCanBeAllowedUnconfined)
{
    const Job first = Job::allocate("alice");
    const Job second = Job::allocate("alice");
    const LogMark mark;
    const Login login = pam_login("alice", "strict action_unknown=allow");
    EXPECT_EQ(login.result, PAM_SUCCESS);
    EXPECT_EQ(login.job, 0U);
    EXPECT_EQ(mark.decision("alice")["decision"], "allow");
    EXPECT_EQ(mark.decision("alice")["reason"], "unknown_job");

    const Stack sshd("sshd", sshd_stack({account_line("strict action_unknown=allow")}));
    EXPECT_EQ(ssh_job("alice"), 0);
}

TEST(SeveralJobs, OneJobIsNeverUnknown)
{
    const Job job = Job::allocate("alice");
    EXPECT_EQ(pam_login("alice", "strict action_unknown=deny").job, job.id());
}

TEST(SeveralJobs, WhenTheNewestEndsTheOneBeforeIsTaken)
{
    const Job first = Job::allocate("alice");
    {
        const Job second = Job::allocate("alice");
        EXPECT_EQ(pam_login("alice", "strict").job, second.id());
    }
    EXPECT_EQ(pam_login("alice", "strict").job, first.id());
}

TEST(SeveralJobs, JobsOfOthersDoNotCount)
{
    const Job mine = Job::allocate("alice");
    const Job theirs = Job::allocate("bob");
    const Job also_theirs = Job::batch("carol");
    const LogMark mark;
    EXPECT_EQ(pam_login("alice", "strict action_unknown=deny").job, mine.id());
    EXPECT_EQ(mark.decision("alice")["jobs"], "1");
    EXPECT_EQ(pam_login("bob", "strict action_unknown=deny").job, theirs.id());
    EXPECT_EQ(pam_login("carol", "strict action_unknown=deny").job, also_theirs.id());
}

// su in a batch script or below srun: whoever changes the user does not change the job.
TEST(SeveralJobs, AProcessThatIsInAJobAlreadyStaysThere)
{
    const Job older = Job::batch("alice");
    const Job newer = Job::allocate("alice");
    // Into the batch step, in every hierarchy that has one.
    const std::string enter = "for procs in /sys/fs/cgroup/*/slurm*/uid_*/job_" + older.id_text() +
                              "/step_batch/cgroup.procs; do echo $$ >$procs || exit 99; done; exec \"$@\"";
    for (const std::string unknown : {"newest", "deny"}) {
        const Stack stack(transparent_stack("service=* strict action_unknown=" + unknown));
        const LogMark mark;
        const Login login = pam_login_by("e2e", "alice", {"sh", "-c", enter, "sh"});
        EXPECT_EQ(login.result, PAM_SUCCESS) << login.messages << login.error;
        EXPECT_EQ(login.job, older.id()) << unknown;
        EXPECT_EQ(mark.decision("alice")["reason"], "current_job") << mark.text();
    }
}

}  // namespace
}  // namespace slurm_adopt::e2e
