// SPDX-License-Identifier: GPL-2.0-or-later
// A cluster with ProctrackType=proctrack/linuxproc: slurmstepd limits the memory of its steps by cgroups, and does not
// find an adopted process again when the job ends.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

TEST(Untracked, IsNoVerifiedAdoption)
{
    const Job job = Job::allocate_in_haste("alice");
    const LogMark mark;
    {
        const Stack stack(transparent_stack("service=*"));
        const Login login = pam_login_by("e2e", "alice");
        EXPECT_EQ(login.result, PAM_SUCCESS) << login.messages;
        EXPECT_EQ(mark.decision("alice")["verified"], "no") << mark.text();
    }
    const LogMark strict_mark;
    const Stack stack(transparent_stack("service=* strict"));
    const Login login = pam_login_by("e2e", "alice");
    EXPECT_EQ(login.result, PAM_PERM_DENIED) << login.messages;
    EXPECT_EQ(strict_mark.decision("alice")["reason"], "adopt_unverifiable") << strict_mark.text();
    EXPECT_NE(login.messages.find("adopt_unverifiable"), std::string::npos) << login.messages;
}

TEST(Untracked, IsRefusedBySshdWithBothLines)
{
    const Job job = Job::allocate_in_haste("alice");
    auto lines = sshd_stack({account_line("strict")});
    lines.push_back("session required " + cluster().module + " strict");
    const Stack sshd("sshd", lines);
    EXPECT_EQ(ssh_job("alice"), -1);
}

}  // namespace
}  // namespace slurm_adopt::e2e
