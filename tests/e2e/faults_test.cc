// SPDX-License-Identifier: GPL-2.0-or-later
// Slurm's daemons, configuration or the kernel's lists are not there.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <signal.h>

#include "cluster.h"
#include "fake_stepd.h"
#include "foretold.h"
#include "job.h"
#include "login.h"
#include "support/fault_table.h"

namespace slurm_adopt::e2e {
namespace {

using test::report_fault;

double milliseconds(const Login& login)
{
    return static_cast<double>(login.account_took.count()) / 1000;
}

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
    const Login login = pam_login("alice", "strict");
    EXPECT_EQ(login.job, job.id());
    report_fault({"system", "slurmd, slurmctld, munged and /etc/slurm away", "adopt one_job", 300}, milliseconds(login));
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
        report_fault({"system", std::string("no list of sockets: neither netlink nor /proc/net, ") + each.options,
                      each.result == PAM_PERM_DENIED ? "deny sockets_unreadable"
                      : each.result == PAM_IGNORE    ? "ignore sockets_unreadable"
                                                     : "allow sockets_unreadable",
                      300},
                     milliseconds(login));
    }
    const Stack stack(transparent_stack("service=* strict spool_dir=" + cluster().spool));
    EXPECT_EQ(pam_login_by("e2e", "alice", without_socket_lists).job, job.id()) << "spool_dir= needs no such list";
}

TEST(Faults, OneListOfSocketsIsEnough)
{
    const Job job = Job::allocate("alice");
    const Stack stack(transparent_stack("service=* strict"));
    const Login by_text = pam_login_by("e2e", "alice", without_netlink);
    EXPECT_EQ(by_text.job, job.id());
    const Login by_netlink = pam_login_by("e2e", "alice", without_proc_net);
    EXPECT_EQ(by_netlink.job, job.id());
    EXPECT_EQ(pam_login_by("e2e", "bob", without_netlink).result, PAM_PERM_DENIED);
    EXPECT_EQ(pam_login_by("e2e", "bob", without_proc_net).result, PAM_PERM_DENIED);
    report_fault({"system", "netlink forbidden (RestrictAddressFamilies)", "adopt one_job", 300}, milliseconds(by_text));
    report_fault({"system", "/proc/net not there", "adopt one_job", 300}, milliseconds(by_netlink));
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
    const Login adopted = pam_login("alice", "strict");
    EXPECT_EQ(adopted.job, own.id());
    report_fault({"slurmstepd", "Slurm's own: another user's stepd stopped, cgroup v1; the whole login", "adopt one_job", 500},
                 milliseconds(adopted));
    const Login refused = pam_login("carol", "strict");
    EXPECT_EQ(refused.result, PAM_PERM_DENIED);
    report_fault({"slurmstepd", "Slurm's own: another user's stepd stopped, cgroup v1, no job; the whole login", "deny no_jobs", 500},
                 milliseconds(refused));
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
    EXPECT_EQ(mark.decision("alice")["reason"], "adopt_timeout") << mark.decision("alice").line;
    report_fault({"slurmstepd", "Slurm's own: the own stepd stopped, timeout=2", "deny adopt_timeout", 2500}, milliseconds(login));
}

TEST(Faults, AStepThatOnlySaysDoneIsNotBelieved)
{
    const FakeStepd liar({.owner = 2001, .adopts = false, .directory = {}});
    const NotForetold not_foretold("explain asks nobody to adopt");
    const LogMark mark;
    const Login login = pam_login("alice", "strict");
    EXPECT_EQ(login.result, PAM_PERM_DENIED);
    EXPECT_EQ(mark.decision("alice")["reason"], "adopt_not_inside") << mark.decision("alice").line;
    // The documented default of Slurm's module: in, unconfined; ours says so in the log.
    EXPECT_EQ(pam_login("alice", "").result, PAM_SUCCESS);
    EXPECT_EQ(pam_login("alice", "action_adopt_failure=deny").result, PAM_PERM_DENIED);
    report_fault({"slurmstepd", "says done on a node of Slurm's own, and has not moved it", "deny adopt_not_inside; without strict allow adopt_not_inside", 300},
                 milliseconds(login));
}

}  // namespace
}  // namespace slurm_adopt::e2e
