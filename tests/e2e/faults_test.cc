// SPDX-License-Identifier: GPL-2.0-or-later
// Slurm's daemons, configuration or the kernel's lists are not there.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <signal.h>

#include "cluster.h"
#include "fake_stepd.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

TEST(Faults, OnlyTheExternStepIsNeeded)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    const Stopped slurmd("slurmd");
    const Stopped slurmctld("slurmctld");
    const Stopped munged("munged");
    const Hidden conf("/etc/slurm");
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(job.id()));
    EXPECT_EQ(ssh_job("bob"), -1);
}

TEST(Faults, WithoutAnyListOfSocketsTheOptionDecides)
{
    const Job job = Job::allocate("alice");
    struct {
        const char* options;
        int result;
    } const cases[] = {
        {"service=* strict", PAM_PERM_DENIED},
        {"service=*", PAM_IGNORE},
        {"service=* action_generic_failure=allow", PAM_SUCCESS},
        {"service=* action_generic_failure=deny", PAM_PERM_DENIED},
        {"service=* action_generic_failure=allow strict", PAM_PERM_DENIED},
    };
    for (const auto& each : cases) {
        const Stack stack(transparent_stack(each.options));
        const LogMark mark;
        const Login login = pam_login_by("e2e", "alice", without_socket_lists);
        EXPECT_EQ(login.result, each.result) << each.options << ' ' << login.error;
        EXPECT_EQ(login.job, 0U);
        EXPECT_EQ(mark.decision("alice")["reason"], "sockets_unreadable") << mark.decision("alice").line;
    }
    const Stack stack(transparent_stack("service=* strict spool_dir=" + cluster().spool));
    EXPECT_EQ(pam_login_by("e2e", "alice", without_socket_lists).job, job.id()) << "spool_dir= needs no such list";
}

TEST(Faults, OneListOfSocketsIsEnough)
{
    const Job job = Job::allocate("alice");
    const Stack stack(transparent_stack("service=* strict"));
    EXPECT_EQ(pam_login_by("e2e", "alice", without_netlink).job, job.id());
    EXPECT_EQ(pam_login_by("e2e", "alice", without_proc_net).job, job.id());
    EXPECT_EQ(pam_login_by("e2e", "bob", without_netlink).result, PAM_PERM_DENIED);
    EXPECT_EQ(pam_login_by("e2e", "bob", without_proc_net).result, PAM_PERM_DENIED);
}

// A SIGSTOPped process, continued at the end.
class Frozen {
public:
    explicit Frozen(pid_t pid) : pid_(pid) { (void)::kill(pid_, SIGSTOP); }
    ~Frozen() { (void)::kill(pid_, SIGCONT); }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;

private:
    pid_t pid_;
};

TEST(Faults, AHungStepOfAnotherUserHangsNobody)
{
    const Job others = Job::allocate("bob");
    const Job own = Job::allocate("alice");
    const pid_t stepd = others.stepd();
    ASSERT_GT(stepd, 1);
    const Frozen frozen(stepd);
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(own.id()));
    EXPECT_LT(pam_login("alice", "strict").account_took, std::chrono::milliseconds{500});
    const Login refused = pam_login("carol", "strict");
    EXPECT_EQ(refused.result, PAM_PERM_DENIED);
    EXPECT_LT(refused.account_took, std::chrono::milliseconds{1500});
}

TEST(Faults, AHungStepOfOnesOwnEndsAtTheTimeout)
{
    const Job own = Job::allocate("alice");
    const pid_t stepd = own.stepd();
    ASSERT_GT(stepd, 1);
    const Frozen frozen(stepd);
    const LogMark mark;
    const Login login = pam_login("alice", "strict timeout=2");
    EXPECT_EQ(login.result, PAM_PERM_DENIED);
    EXPECT_LT(login.account_took, std::chrono::milliseconds{2500});
    EXPECT_EQ(mark.decision("alice")["reason"], "adopt_timeout") << mark.decision("alice").line;
}

TEST(Faults, AStepThatOnlySaysDoneIsNotBelieved)
{
    const FakeStepd liar({.owner = 2001, .adopts = false, .directory = {}});
    const LogMark mark;
    const Login login = pam_login("alice", "strict");
    EXPECT_EQ(login.result, PAM_PERM_DENIED);
    EXPECT_EQ(mark.decision("alice")["reason"], "adopt_not_inside") << mark.decision("alice").line;
    // The documented default of Slurm's module: in, unconfined; ours says so in the log.
    EXPECT_EQ(pam_login("alice", "").result, PAM_SUCCESS);
    EXPECT_EQ(pam_login("alice", "action_adopt_failure=deny").result, PAM_PERM_DENIED);
}

}  // namespace
}  // namespace slurm_adopt::e2e
