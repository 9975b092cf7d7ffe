// SPDX-License-Identifier: GPL-2.0-or-later
// A drop-in replacement: with Slurm's own module and with ours in the same stack file, logins end the same.
#include <gtest/gtest.h>

#include <sstream>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

// What the user meets: in or not, where the session is, what SLURM_JOB_ID says.
std::string outcome(const std::string& user)
{
    const Finished session = ssh(user, "echo JOB=$SLURM_JOB_ID; cat /proc/self/cgroup");
    if (!session.ok()) return "refused";
    std::string job = session.out.substr(0, session.out.find('\n'));
    return job + " step=" + std::to_string(job_in(session.out));
}

class Swap : public ::testing::TestWithParam<const char*> {
protected:
    // The outcomes with one of the modules, in a file that differs in the module's path only.
    std::string with(const std::string& module, const std::string& user)
    {
        // Without nodename= theirs looks for the age of jobs in cgroups that this build of Slurm names otherwise,
        // finds none, and takes any of them.
        const Stack sshd("sshd", sshd_stack({account_line("nodename=" + cluster().node + ' ' + GetParam(), module)}));
        return outcome(user);
    }

    void expect_same(const std::string& user, const std::string& expected)
    {
        EXPECT_EQ(with(cluster().their_module, user), expected) << "Slurm's own module";
        EXPECT_EQ(with(cluster().module, user), expected) << "our module";
    }

    void SetUp() override { ASSERT_NE(cluster().their_module, "") << "package libpam-slurm-adopt is not installed"; }

    bool has(const char* option) const { return std::string(GetParam()).find(option) != std::string::npos; }
};

TEST_P(Swap, NoJob)
{
    expect_same("alice", has("action_no_jobs=ignore") ? "JOB= step=0" : "refused");
    expect_same("root", "JOB= step=0");
}

TEST_P(Swap, OneJob)
{
    const Job job = Job::allocate("alice");
    expect_same("alice", "JOB=" + job.id_text() + " step=" + job.id_text());
    expect_same("bob", has("action_no_jobs=ignore") ? "JOB= step=0" : "refused");
}

TEST_P(Swap, ThreeJobs)
{
    const Job first = Job::allocate("alice");
    ::sleep(1);  // theirs tells jobs apart by the second
    const Job second = Job::allocate("alice");
    ::sleep(1);
    const Job third = Job::allocate("alice");
    expect_same("alice", has("action_unknown=deny")    ? "refused"
                         : has("action_unknown=allow") ? "JOB= step=0"
                                                       : "JOB=" + third.id_text() + " step=" + third.id_text());
}

TEST_P(Swap, ThreeJobsTheLowestStartedLast)
{
    Job held = Job::held("alice");
    const Job second = Job::allocate("alice");
    const Job third = Job::allocate("alice");
    ::sleep(1);
    held.release();
    expect_same("alice", has("action_unknown=deny")    ? "refused"
                         : has("action_unknown=allow") ? "JOB= step=0"
                                                       : "JOB=" + held.id_text() + " step=" + held.id_text());
}

INSTANTIATE_TEST_SUITE_P(, Swap,
                         ::testing::Values("", "action_no_jobs=ignore", "action_unknown=deny", "action_unknown=allow",
                                           "action_no_jobs=deny action_unknown=newest action_adopt_failure=deny "
                                           "action_generic_failure=deny log_level=debug"));

}  // namespace
}  // namespace slurm_adopt::e2e
