// SPDX-License-Identifier: GPL-2.0-or-later
// No job and one job: who is refused, who is adopted, and what becomes of the session when the job ends.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <filesystem>
#include <sstream>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

class Adopt : public ::testing::Test {
protected:
    const Stack sshd_{"sshd", sshd_stack({account_line("strict")})};
};

bool exists(const std::string& pid)
{
    // A zombie is no process of the user's any more.
    const std::string stat = read_whole("/proc/" + pid + "/stat");
    return !stat.empty() && stat.find(") Z ") == std::string::npos;
}

TEST_F(Adopt, RefusesWithoutAJobAndSaysWhy)
{
    const LogMark mark;
    const Finished session = ssh("alice", "id");
    EXPECT_EQ(session.code, 255);
    EXPECT_NE(session.err.find("you have no job running on " + cluster().node), std::string::npos) << session.err;
    const Decision decision = mark.decision("alice");
    EXPECT_EQ(decision["decision"], "deny") << decision.line;
    EXPECT_EQ(decision["reason"], "no_jobs");
    EXPECT_EQ(decision["jobs"], "0");
    EXPECT_EQ(decision["uid"], "2001");
    EXPECT_EQ(decision["service"], "sshd");
    EXPECT_EQ(decision["rhost"], "127.0.0.1");
    EXPECT_EQ(pam_login("alice", "strict").result, PAM_PERM_DENIED);
}

TEST_F(Adopt, IgnoresWithoutAJobWhenToldTo)
{
    EXPECT_EQ(pam_login("alice", "strict action_no_jobs=ignore").result, PAM_IGNORE);
    const Stack lenient("sshd", sshd_stack({account_line("strict action_no_jobs=ignore")}));
    EXPECT_EQ(ssh_job("alice"), 0);
}

TEST_F(Adopt, QuietSaysNothing)
{
    const Login refused = pam_login("alice", "strict quiet");
    EXPECT_EQ(refused.result, PAM_PERM_DENIED);
    EXPECT_EQ(refused.messages, "");
}

TEST_F(Adopt, PutsTheWholeSessionIntoTheJob)
{
    const Job job = Job::allocate("alice");
    const LogMark mark;
    // The shell, and the sshd process that serves the session.
    const Finished session = ssh("alice", "cat /proc/self/cgroup; echo JOB=$SLURM_JOB_ID; cat /proc/$PPID/cgroup | sed s/^/parent:/");
    ASSERT_EQ(session.code, 0) << session.err;
    EXPECT_EQ(job_in(session.out), job.id()) << session.out;
    EXPECT_EQ(job_in(session.out.substr(session.out.find("parent:"))), job.id()) << session.out;
    EXPECT_NE(session.out.find("JOB=" + job.id_text()), std::string::npos) << session.out;
    EXPECT_NE(session.out.find("/uid_2001/"), std::string::npos) << session.out;
    EXPECT_EQ(session.err, "");

    const Decision decision = mark.decision("alice");
    EXPECT_EQ(decision["decision"], "adopt") << decision.line;
    EXPECT_EQ(decision["reason"], "one_job");
    EXPECT_EQ(decision["jobs"], "1");
    EXPECT_EQ(decision["job"], job.id_text());
    EXPECT_EQ(decision["phase"], "account");
    EXPECT_EQ(decision["verified"], "yes");
    EXPECT_FALSE(decision["ms"].empty());
}

TEST_F(Adopt, AdoptsIntoABatchJob)
{
    const Job job = Job::batch("alice");
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(job.id()));
}

TEST_F(Adopt, AdoptsAPasswordLoginAndIPv6)
{
    const Job job = Job::allocate("alice");
    const Finished session = run({.argv = {"sshpass", "-palice-password", "ssh", "-oPreferredAuthentications=password", "-oPubkeyAuthentication=no",
                                           "alice@node", "cat /proc/self/cgroup"}});
    EXPECT_EQ(job_in(session.out), job.id()) << session.err;
    if (std::filesystem::exists("/proc/net/if_inet6") && !read_whole("/proc/net/if_inet6").empty()) {
        const Finished six = run({.argv = {"ssh", "-oBatchMode=yes", "alice@::1", "cat /proc/self/cgroup"}});
        EXPECT_EQ(job_in(six.out), job.id()) << six.err;
    }
}

TEST_F(Adopt, AdoptsAPseudoTerminalSession)
{
    const Job job = Job::allocate("alice");
    const Finished session = ssh("alice", "tty; cat /proc/self/cgroup", {"-tt"});
    EXPECT_NE(session.out.find("/dev/pts/"), std::string::npos) << session.out;
    EXPECT_EQ(job_in(session.out), job.id()) << session.out;
}

// The extern step listens some milliseconds before it has made its cgroup.
TEST_F(Adopt, AdoptsIntoAJobThatHasJustBegun)
{
    const Stack stack(transparent_stack("strict service=*"));
    for (int i = 0; i < 10; ++i) {
        const LogMark mark;
        const Job job = Job::allocate_in_haste("alice");
        const Login login = pam_login_by("e2e", "alice");
        EXPECT_EQ(login.result, PAM_SUCCESS);
        EXPECT_EQ(login.job, job.id()) << mark.decision("alice").line;
    }
}

TEST_F(Adopt, AJobOfSomebodyElsesIsNoJob)
{
    const Job job = Job::allocate("alice");
    EXPECT_EQ(ssh_job("bob"), -1);
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(job.id()));
}

TEST_F(Adopt, AHeldJobIsNoJob)
{
    const Job job = Job::held("alice");
    EXPECT_EQ(ssh_job("alice"), -1);
}

TEST_F(Adopt, CancellingTheJobEndsARunningSession)
{
    Job job = Job::allocate("alice");
    Background session(ssh_command("alice", "echo up; sleep 1000"));
    ASSERT_TRUE(session.says("up"));
    const auto cancelled = std::chrono::steady_clock::now();
    job.cancel();
    const Finished ended = session.wait();
    EXPECT_NE(ended.code, 0);
    EXPECT_NE(ended.code, 124) << "the session was still there";
    EXPECT_LT(std::chrono::steady_clock::now() - cancelled, std::chrono::seconds{15});
    EXPECT_EQ(ssh_job("alice"), -1);
}

TEST_F(Adopt, WhatASessionLeavesBehindDiesWithTheJob)
{
    Job job = Job::allocate("alice");
    const Finished session = ssh("alice", "setsid nohup sleep 1000 </dev/null >/dev/null 2>&1 & echo $!");
    ASSERT_EQ(session.code, 0) << session.err;
    const std::string pid = std::to_string(std::stol(session.out));
    EXPECT_TRUE(exists(pid));
    EXPECT_EQ(job_in(read_whole("/proc/" + pid + "/cgroup")), job.id());
    job.cancel();
    EXPECT_TRUE(eventually([&] { return !exists(pid); }));
}

TEST_F(Adopt, NoDescriptorOfOursReachesTheSession)
{
    const Job job = Job::allocate("alice");
    const Finished session = ssh("alice", "ls -l /proc/self/fd; ls -l /proc/$PPID/fd 2>/dev/null | grep -c 4294967292");
    ASSERT_NE(session.code, 255) << session.err;
    // 0, 1, 2 and the directory itself.
    std::istringstream lines(session.out);
    int descriptors = 0;
    for (std::string line; std::getline(lines, line);) descriptors += line.find(" -> ") != std::string::npos ? 1 : 0;
    EXPECT_EQ(descriptors, 4) << session.out;
}

TEST_F(Adopt, AUserWhoDoesNotExistIsUnknown)
{
    EXPECT_EQ(pam_login("nobody-of-this-name", "strict").result, PAM_USER_UNKNOWN);
}

TEST_F(Adopt, OtherServicesAreLeftAlone)
{
    const Stack stack(transparent_stack("strict"));  // service=sshd is the default, this is "e2e"
    EXPECT_EQ(pam_login_by("e2e", "alice").result, PAM_IGNORE);
    const Stack listed(transparent_stack("strict service=sshd,e2e"));
    EXPECT_EQ(pam_login_by("e2e", "alice").result, PAM_PERM_DENIED);
}

TEST_F(Adopt, ExemptUsersAndGroupsPass)
{
    EXPECT_EQ(pam_login("carol", "strict exempt_users=bob,carol").result, PAM_IGNORE);
    EXPECT_EQ(pam_login("alice", "strict exempt_users=bob,carol").result, PAM_PERM_DENIED);
    EXPECT_EQ(pam_login("adm", "strict exempt_groups=admins").result, PAM_IGNORE);
    EXPECT_EQ(pam_login("alice", "strict exempt_groups=admins").result, PAM_PERM_DENIED);
}

}  // namespace
}  // namespace slurm_adopt::e2e
