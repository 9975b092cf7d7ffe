// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain/account_lines.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/temp_directory.h"

namespace slurm_adopt::tool {
namespace {

using Arguments = std::vector<std::string>;

class AccountLines : public testing::Test {
protected:
    Result<FoundStack> find(const std::string& service) const { return find_account_lines(directories_, service); }

    test::TempDirectory directory_;
    pam_stack::Directories directories_{{directory_ / "etc", directory_ / "usr"}};
};

TEST_F(AccountLines, TheAccountLineAndNoOther)
{
    (void)directory_.write("etc/sshd",
                           "auth required pam_slurm_adopt.so wrong\naccount required pam_nologin.so\n"
                           "account required pam_slurm_adopt.so strict\nsession required pam_slurm_adopt.so other\n");
    const auto found = find("SSHD");
    ASSERT_TRUE(found) << found.error().context;
    ASSERT_EQ(found.value().lines.size(), 1U);
    EXPECT_EQ(found.value().lines[0].place.line, 3U);
    EXPECT_EQ(found.value().lines[0].place.file, directory_ / "etc/sshd");
    EXPECT_EQ(found.value().lines[0].arguments, Arguments{"strict"});
}

TEST_F(AccountLines, IncludesAreFollowedInOrder)
{
    (void)directory_.write("etc/sshd", "@include all\naccount include first\naccount substack " +
                                           (directory_ / "elsewhere") +
                                           "\nauth include auth-only\naccount required pam_slurm_adopt.so last\n");
    (void)directory_.write("usr/all", "account required /a/pam_slurm_adopt.so all\n");
    (void)directory_.write("etc/first", "account required pam_slurm_adopt.so first\n");
    (void)directory_.write("elsewhere", "account required pam_slurm_adopt.so substack\n");
    (void)directory_.write("etc/auth-only", "account required pam_slurm_adopt.so of-auth\n");
    const auto found = find("sshd");
    ASSERT_TRUE(found) << found.error().context;
    Arguments order;
    for (const pam_stack::Line& line : found.value().lines) order.push_back(line.arguments.at(0));
    EXPECT_EQ(order, (Arguments{"all", "first", "substack", "last"}));
}

TEST_F(AccountLines, WithoutAFileOtherIsTheStack)
{
    (void)directory_.write("usr/other", "account required pam_slurm_adopt.so\n");
    const auto found = find("login");
    ASSERT_TRUE(found) << found.error().context;
    EXPECT_TRUE(found.value().is_other);
    EXPECT_EQ(found.value().lines.size(), 1U);
}

TEST_F(AccountLines, WhatCannotBeReadIsAnError)
{
    const auto nothing = find("sshd");
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().errno_value, ENOENT);

    (void)directory_.write("etc/sshd", "account include gone\n");
    const auto broken = find("sshd");
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().context.find("etc/sshd:1"), std::string::npos) << broken.error().context;

    (void)directory_.write("etc/sshd", "account include sshd\n");
    const auto endless = find("sshd");
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error().code, ErrorCode::malformed);
    EXPECT_FALSE(find_account_lines_in(directories_, directory_ / "none"));
}

}  // namespace
}  // namespace slurm_adopt::tool
