// SPDX-License-Identifier: GPL-2.0-or-later
// Real slurmstepds that hang, many of them, on cgroup v1: its paths say whose they are, so nobody waits for them.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "many_jobs.h"
#include "support/fault_table.h"

namespace slurm_adopt::e2e {
namespace {

using slurm_adopt::test::report_fault;

constexpr int foreign_jobs = 50;
constexpr double added_limit_ms = 20;

// SIGSTOPped processes, continued at the end.
class AllFrozen {
public:
    explicit AllFrozen(std::vector<pid_t> pids) : pids_(std::move(pids)) { signal(SIGSTOP); }
    ~AllFrozen() { signal(SIGCONT); }
    AllFrozen(const AllFrozen&) = delete;
    AllFrozen& operator=(const AllFrozen&) = delete;

private:
    void signal(int number) const
    {
        for (const pid_t pid : pids_) (void)::kill(pid, number);
    }

    std::vector<pid_t> pids_;
};

double milliseconds(const Login& login)
{
    return static_cast<double>(login.account_took.count()) / 1000;
}

// The quickest of some logins, which all have to come to the same: what others do on the machine is not measured.
double quickest(const std::string& user, int result, std::uint32_t job)
{
    double least = 1e9;
    for (int i = 0; i < 10; ++i) {
        const Login login = pam_login(user, "strict");
        EXPECT_EQ(login.result, result) << login.messages;
        EXPECT_EQ(login.job, job);
        least = std::min(least, milliseconds(login));
    }
    return least;
}

TEST(StormOfHungStepds, OfAnotherUserCostNobodyAnything)
{
    const ManyJobs foreign({{"bob", foreign_jobs}});
    const Job own = Job::allocate("alice");
    const std::vector<pid_t> stepds = foreign.stepds("bob");
    ASSERT_EQ(stepds.size(), static_cast<std::size_t>(foreign_jobs));
    const double adopted = quickest("alice", PAM_SUCCESS, own.id());
    const double refused = quickest("carol", PAM_PERM_DENIED, 0);
    double adopted_then = 0;
    double refused_then = 0;
    {
        const AllFrozen frozen(stepds);
        adopted_then = quickest("alice", PAM_SUCCESS, own.id());
        refused_then = quickest("carol", PAM_PERM_DENIED, 0);
    }
    std::printf("adopted %.2f ms, then %.2f ms; refused %.2f ms, then %.2f ms\n", adopted, adopted_then, refused, refused_then);
    ASSERT_FALSE(HasFailure());
    report_fault({.part = "slurmstepd", .fault = "cgroup v1: 50 extern steps of another user hang; time added", .expected = "adopt one_job",
                  .bound_ms = added_limit_ms},
                 std::max(adopted_then - adopted, 0.0));
    report_fault({.part = "slurmstepd", .fault = "cgroup v1: 50 extern steps of another user hang, own none; time added",
                  .expected = "deny no_jobs", .bound_ms = added_limit_ms},
                 std::max(refused_then - refused, 0.0));
}

TEST(StormOfHungStepds, OnesOwnEndsAtTheTimeout)
{
    const ManyJobs own({{"alice", 10}});
    const AllFrozen frozen(own.stepds("alice"));
    const LogMark mark;
    const Login login = pam_login("alice", "strict timeout=2");
    EXPECT_EQ(login.result, PAM_PERM_DENIED);
    EXPECT_EQ(mark.decision("alice")["reason"], "adopt_timeout") << mark.decision("alice").line;
    ASSERT_FALSE(HasFailure());
    // timeout= and what it takes a busy machine to say so.
    report_fault({.part = "slurmstepd", .fault = "cgroup v1: all ten own extern steps hang, timeout=2", .expected = "deny adopt_timeout",
                  .bound_ms = 2200},
                 milliseconds(login));
}

}  // namespace
}  // namespace slurm_adopt::e2e
