// SPDX-License-Identifier: GPL-2.0-or-later
// The ways in which administrators put the line into their PAM stacks.
#include <gtest/gtest.h>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

class Stacks : public ::testing::Test {
protected:
    void SetUp() override
    {
        write_whole(access_, "+:(admins):ALL\n-:ALL:ALL\n");
        write_whole(list_, "carol\n");
    }

    // Whether ssh lets the user in with these account lines; the job the session is in.
    int in(const std::string& user, const std::vector<std::string>& account)
    {
        const Stack sshd("sshd", sshd_stack(account));
        return ssh_job(user);
    }

    const std::string access_ = "/etc/security/access-e2e.conf";
    const std::string list_ = "/etc/ssh/allowed_users";
    const std::string pam_access_ = "pam_access.so accessfile=" + access_;
};

TEST_F(Stacks, PamAccessAfterItLetsTheAdminsIn)
{
    const Job job = Job::allocate("alice");
    const std::vector<std::string> account = {account_line("strict", {}, "sufficient"), "account required " + pam_access_};
    EXPECT_EQ(in("alice", account), static_cast<int>(job.id()));
    EXPECT_EQ(in("adm", account), 0);
    EXPECT_EQ(in("bob", account), -1);
}

TEST_F(Stacks, PamAccessBeforeItBypasses)
{
    const Job job = Job::allocate("alice");
    const std::vector<std::string> account = {"account sufficient " + pam_access_, account_line("strict")};
    EXPECT_EQ(in("adm", account), 0);
    EXPECT_EQ(in("alice", account), static_cast<int>(job.id()));
    EXPECT_EQ(in("bob", account), -1);
}

TEST_F(Stacks, PamListfileBeforeItBypasses)
{
    const Job job = Job::allocate("alice");
    const std::vector<std::string> account = {
        "account sufficient pam_listfile.so item=user sense=allow onerr=fail file=" + list_, account_line("strict")};
    EXPECT_EQ(in("carol", account), 0);
    EXPECT_EQ(in("alice", account), static_cast<int>(job.id()));
    EXPECT_EQ(in("bob", account), -1);
}

TEST_F(Stacks, TheLineInAnIncludedFile)
{
    const Job job = Job::allocate("alice");
    const Stack included("password-auth", {"account required pam_unix.so", account_line("strict")});
    // Red Hat's, Red Hat's with a stack of its own, and Debian's.
    for (const char* line : {"account include password-auth", "account substack password-auth", "@include password-auth"}) {
        EXPECT_EQ(in("alice", {line}), static_cast<int>(job.id())) << line;
        EXPECT_EQ(in("bob", {line}), -1) << line;
        EXPECT_EQ(in("root", {line}), 0) << line;
    }
}

TEST_F(Stacks, TheLineAtTheTopOfCommonAccount)
{
    const Job job = Job::allocate("alice");
    const Stack included("common-account", {
        account_line("strict"),
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so",
        "account requisite pam_deny.so",
        "account required pam_permit.so"});
    EXPECT_EQ(in("alice", {"@include common-account"}), static_cast<int>(job.id()));
    EXPECT_EQ(in("bob", {"@include common-account"}), -1);
    EXPECT_EQ(in("root", {"@include common-account"}), 0);
}

// "-" only keeps libpam from logging that a module is missing. What a missing module means is the control's to say:
// required refuses everybody, root too.
TEST_F(Stacks, ALeadingDashWithTheModuleMissing)
{
    const std::string missing = "/nowhere/pam_slurm_adopt.so strict";
    const std::string forgiving = "[success=ok new_authtok_reqd=ok ignore=ignore module_unknown=ignore default=bad] ";
    const LogMark mark;
    const std::vector<std::string> sufficient = {"-account sufficient " + missing, "account required " + pam_access_};
    EXPECT_EQ(in("adm", sufficient), 0);
    EXPECT_EQ(in("bob", sufficient), -1);
    EXPECT_EQ(in("bob", {"-account " + forgiving + missing}), 0);
    EXPECT_EQ(in("root", {"-account " + forgiving + missing}), 0);
    EXPECT_EQ(in("root", {"-account required " + missing}), -1);
    for (const std::string& line : mark.lines()) EXPECT_EQ(line.find("unable to dlopen"), std::string::npos) << line;
}

TEST_F(Stacks, ALeadingDashWithTheModuleThereChangesNothing)
{
    const Job job = Job::allocate("alice");
    for (const char* control : {"required", "[success=ok new_authtok_reqd=ok ignore=ignore module_unknown=ignore default=bad]"}) {
        const std::string line = '-' + account_line("strict", {}, control);
        EXPECT_EQ(in("alice", {line}), static_cast<int>(job.id())) << line;
        EXPECT_EQ(in("bob", {line}), -1) << line;
        EXPECT_EQ(in("root", {line}), 0) << line;
    }
}

TEST_F(Stacks, RequisiteAndOptional)
{
    const Job job = Job::allocate("alice");
    EXPECT_EQ(in("bob", {account_line("strict", {}, "requisite")}), -1);
    EXPECT_EQ(in("bob", {account_line("strict", {}, "optional")}), 0);
    EXPECT_EQ(in("alice", {account_line("strict", {}, "optional")}), static_cast<int>(job.id()));
}

}  // namespace
}  // namespace slurm_adopt::e2e
