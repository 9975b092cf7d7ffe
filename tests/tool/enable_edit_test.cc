// SPDX-License-Identifier: GPL-2.0-or-later
// Where enable puts its lines, what it refuses, and that disable gives back every byte: text in, text out.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "enable/edit.h"
#include "enable/marked_lines.h"
#include "enable/unified_diff.h"
#include "support/temp_directory.h"

namespace slurm_adopt::tool {
namespace {

std::string read(const std::string& path)
{
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::vector<std::string> stack_of(const pam_stack::Directories& directories, const std::string& text, pam_stack::Type type)
{
    const auto stack = pam_stack::resolve_stack(directories, "sshd", text, type);
    std::vector<std::string> names;
    if (!stack.ok()) return {stack.error().context};
    for (const auto& module : stack.value().modules) names.emplace_back(module_name(module.line));
    return names;
}

std::ptrdiff_t index_of(const std::vector<std::string>& names, const std::string& name)
{
    return std::find(names.begin(), names.end(), name) - names.begin();
}

class Layouts : public ::testing::TestWithParam<const char*> {
protected:
    const pam_stack::Directories directories{{std::string(PAM_LAYOUTS) + '/' + GetParam()}};
    const std::string before = read(directories.paths[0] + "/sshd");

    [[nodiscard]] Result<Edit> enable(const std::string& text, const EnableRequest& request = {"sshd", {}, {}}) const
    {
        return enabled(directories, "sshd", text, request);
    }
};

TEST_P(Layouts, EnableTwiceAndDisableGivesBackEveryByte)
{
    const auto once = enable(before);
    ASSERT_TRUE(once.ok()) << once.error().context;
    EXPECT_NE(once.value().text, before);
    const auto twice = enable(once.value().text);
    ASSERT_TRUE(twice.ok()) << twice.error().context;
    EXPECT_EQ(twice.value().text, once.value().text);
    const auto back = disabled("sshd", twice.value().text, false);
    ASSERT_TRUE(back.ok()) << back.error().context;
    EXPECT_EQ(back.value(), before);
}

TEST_P(Layouts, EachLineIsReachedAndTheSessionLineIsBelowPamSystemd)
{
    const auto edit = enable(before);
    ASSERT_TRUE(edit.ok()) << edit.error().context;
    const auto session = stack_of(directories, edit.value().text, pam_stack::Type::session);
    EXPECT_GT(index_of(session, module_file_name), index_of(session, "pam_systemd.so"));
    EXPECT_LT(index_of(session, module_file_name), static_cast<std::ptrdiff_t>(session.size()));
    const auto account = stack_of(directories, edit.value().text, pam_stack::Type::account);
    EXPECT_GT(index_of(account, module_file_name), index_of(account, "pam_nologin.so"));
    EXPECT_LE(index_of(account, module_file_name), index_of(account, "pam_localuser.so"));
    EXPECT_LT(index_of(account, module_file_name), index_of(account, "pam_unix.so"));
    EXPECT_EQ(edit.value().options, std::vector<std::string>{"strict"});
    EXPECT_NE(edit.value().text.find("\naccount required pam_slurm_adopt.so strict\n"), std::string::npos);
    EXPECT_NE(edit.value().text.find("\nsession required pam_slurm_adopt.so strict\n"), std::string::npos);
}

TEST_P(Layouts, NewOptionsReplaceTheOldAndNoOptionsKeepThem)
{
    const auto once = enable(before, {"sshd", {}, {{"strict", "timeout=5", "helper=/opt/a b"}}});
    ASSERT_TRUE(once.ok()) << once.error().context;
    EXPECT_NE(once.value().text.find("\nsession required pam_slurm_adopt.so strict timeout=5 [helper=/opt/a b]\n"),
              std::string::npos);
    EXPECT_EQ(enable(once.value().text).value().text, once.value().text);
    EXPECT_EQ(enable(once.value().text, {"sshd", {}, {{"strict"}}}).value().text, enable(before).value().text);
}

TEST_P(Layouts, AFileWithoutANewlineAtItsEnd)
{
    const std::string cut = before.substr(0, before.size() - 1);
    const auto once = enable(cut);
    ASSERT_TRUE(once.ok()) << once.error().context;
    EXPECT_EQ(disabled("sshd", enable(once.value().text).value().text, false).value(), cut);
}

INSTANTIATE_TEST_SUITE_P(Stock, Layouts, ::testing::Values("debian12", "debian13", "debian14", "redhat9"));

TEST(EnableEdit, Debian12Exactly)
{
    const pam_stack::Directories directories{{std::string(PAM_LAYOUTS) + "/debian12"}};
    const std::string text =
        enabled(directories, "sshd", read(directories.paths[0] + "/sshd"), {"sshd", {}, {}}).value().text;
    EXPECT_NE(text.find("account    required     pam_nologin.so\n# Begin slurm-adopt"), std::string::npos);
    EXPECT_NE(text.find("@include common-session\n# Begin slurm-adopt"), std::string::npos);
}

// Small files: what is refused, and why.
class SmallFiles : public ::testing::Test {
protected:
    SmallFiles()
    {
        directory_.write(
            "shared",
            "account required pam_unix.so\naccount sufficient pam_localuser.so\nsession optional pam_systemd.so\n");
        directory_.write("by-hand", "account required pam_slurm_adopt.so\nsession required pam_unix.so\n");
    }
    [[nodiscard]] Result<Edit> edit(const std::string& text, const EnableRequest& request = {"sshd", {}, {}}) const
    {
        return enabled({{directory_.path()}}, "f", text, request);
    }
    [[nodiscard]] std::string refusal(const std::string& text, const EnableRequest& request = {"sshd", {}, {}}) const
    {
        const auto result = edit(text, request);
        return result.ok() ? "not refused:\n" + result.value().text : result.error().context;
    }
    [[nodiscard]] std::vector<std::string> stack(const std::string& text, pam_stack::Type type) const
    {
        const auto result = edit(text);
        return result.ok() ? stack_of({{directory_.path()}}, result.value().text, type)
                           : std::vector<std::string>{result.error().context};
    }
    const test::TempDirectory directory_;
    const std::string session_ = "session required pam_unix.so\n";
};

TEST_F(SmallFiles, AFileThatLoadsTheModuleByHandIsRefusedWithTheLine)
{
    EXPECT_NE(refusal("account required pam_unix.so\n-account required /x/pam_slurm_adopt.so\n" + session_)
                  .find("f:2: '-account required /x/pam_slurm_adopt.so' loads"),
              std::string::npos);
    EXPECT_NE(refusal("account include by-hand\n" + session_).find("/by-hand:1: "), std::string::npos);
    EXPECT_NE(refusal("account required pam_unix.so\nsession required pam_unix.so\nsession optional pam_slurm_adopt.so\n")
                  .find("f:3: "),
              std::string::npos);
}

TEST_F(SmallFiles, ASufficientLineOfTheFileItselfIsTheAdministratorsToDecide)
{
    const std::string why = refusal("account sufficient pam_access.so\naccount required pam_unix.so\n" + session_);
    EXPECT_NE(why.find("f:1: 'account sufficient pam_access.so' lets users in"), std::string::npos) << why;
    EXPECT_NE(refusal("account [success=done default=bad] pam_access.so\n" + session_).find("lets users in"),
              std::string::npos);
    EXPECT_NE(
        refusal("account required pam_unix.so\nsession sufficient pam_x.so\nsession required pam_unix.so\n").find("f:2: "),
        std::string::npos);
}

TEST_F(SmallFiles, ASufficientLineOfAnIncludeIsBelowOurs)
{
    const std::vector<std::string> expected = {"pam_nologin.so", "pam_slurm_adopt.so", "pam_unix.so", "pam_localuser.so"};
    EXPECT_EQ(stack("account required pam_nologin.so\naccount include shared\n" + session_, pam_stack::Type::account),
              expected);
    EXPECT_EQ(stack("account include shared\n" + session_, pam_stack::Type::account).front(), "pam_slurm_adopt.so");
    // In a substack it ends only the substack.
    EXPECT_EQ(stack("account substack shared\n" + session_, pam_stack::Type::account).back(), "pam_slurm_adopt.so");
}

// pam.conf(5): new_authtok_reqd, what pam_unix says of an expired password.
TEST_F(SmallFiles, ALineThatEndsThePhaseForExpiredPasswordsIsBelowOurs)
{
    const std::string expired = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n";
    directory_.write("common", expired + "account requisite pam_deny.so\naccount required pam_permit.so\n");
    const std::vector<std::string> included = {"pam_nologin.so", "pam_slurm_adopt.so", "pam_unix.so", "pam_deny.so",
                                               "pam_permit.so"};
    EXPECT_EQ(stack("account required pam_nologin.so\n@include common\n" + session_, pam_stack::Type::account), included);
    // Nobody means that, wherever it stands.
    const std::vector<std::string> own = {"pam_slurm_adopt.so", "pam_unix.so", "pam_deny.so", "pam_y.so"};
    EXPECT_EQ(stack(expired + "account requisite pam_deny.so\naccount required pam_y.so\n" + session_, pam_stack::Type::account),
              own);
    // But who is let in below our line is still the administrator's to decide.
    EXPECT_NE(refusal("@include common\naccount sufficient pam_access.so\naccount required pam_y.so\n" + session_)
                  .find("f:2: 'account sufficient pam_access.so' lets users in"),
              std::string::npos);
    EXPECT_EQ(stack("account substack common\n" + session_, pam_stack::Type::account).back(), "pam_slurm_adopt.so");
}

TEST_F(SmallFiles, LinesWithADashAreLinesLikeOthers)
{
    const std::vector<std::string> expected = {"pam_x.so", "pam_systemd.so", "pam_slurm_adopt.so", "pam_y.so"};
    EXPECT_EQ(stack("-account required pam_unix.so\nsession required pam_x.so\n-session optional pam_systemd.so\nsession "
                    "required pam_y.so\n",
                    pam_stack::Type::session),
              expected);
}

TEST_F(SmallFiles, AJumpOverThePlaceIsRefused)
{
    const std::string jump =
        "session [success=2 default=ignore] pam_x.so\nsession optional pam_systemd.so\nsession required pam_y.so\n";
    EXPECT_NE(refusal("account required pam_unix.so\n" + jump).find("f:2: "), std::string::npos);
    EXPECT_TRUE(
        edit(
            "account required pam_unix.so\n" +
            std::string(
                "session [success=1 default=ignore] pam_x.so\nsession optional pam_systemd.so\nsession required pam_y.so\n"))
            .ok());
    EXPECT_NE(refusal("account [default=2] pam_x.so\naccount required pam_y.so\naccount include shared\n" + session_)
                  .find("jumps over"),
              std::string::npos);
}

TEST_F(SmallFiles, WithoutALineOfBothTypesThereIsNoPlace)
{
    EXPECT_NE(refusal(session_).find("no account line"), std::string::npos);
    EXPECT_NE(refusal("account required pam_unix.so\n").find("no session line"), std::string::npos);
    EXPECT_NE(refusal("account required pam_unix.so\nacount required pam_x.so\n" + session_).find("f:2: "),
              std::string::npos);
    EXPECT_NE(refusal("account include gone\n" + session_).find("f:1: includes 'gone'"), std::string::npos);
}

TEST_F(SmallFiles, OptionsAreTheModulesOwn)
{
    const std::string good = "account required pam_unix.so\n" + session_;
    EXPECT_NE(refusal(good, {"sshd", {}, {{"stric"}}}).find("unknown option 'stric'"), std::string::npos);
    EXPECT_NE(refusal(good, {"sshd", {}, {{"timeout=0"}}}).find("allowed"), std::string::npos);
    EXPECT_NE(refusal(good, {"sshd", {}, {{"helper=/a#b"}}}).find("cannot be written"), std::string::npos);
    EXPECT_NE(refusal(good, {"sshd", {}, {{"exempt_users=" + std::string(1000, 'u')}}}).find("too long"), std::string::npos);
    EXPECT_NE(refusal(good, {"login", {}, {}}).find("add service=login"), std::string::npos);
    EXPECT_TRUE(edit(good, {"login", {}, {{"strict", "service=sshd,login"}}}).ok());
    EXPECT_NE(refusal(good, {"sshd", "pam_unix.so", {}}).find("neither"), std::string::npos);
}

TEST_F(SmallFiles, EditedMarkedLinesAreRefused)
{
    const std::string good = "account required pam_unix.so\n" + session_;
    std::string text = edit(good).value().text;
    text.replace(text.find("\naccount required pam_slurm_adopt.so strict\n"), 43, "\naccount required pam_slurm_adopt.so\n");
    EXPECT_NE(
        refusal(text).find("f:2: slurm-adopt's line was edited since; it was 'account required pam_slurm_adopt.so strict'"),
        std::string::npos)
        << refusal(text);
    EXPECT_FALSE(disabled("f", text, false).ok());
    EXPECT_EQ(disabled("f", text, true).value(), good);
    EXPECT_NE(disabled("f", "# End slurm-adopt\n", true).error().context.find("f:1: "), std::string::npos);
    const std::string begin = edit(good).value().text;
    EXPECT_FALSE(disabled("f", begin.substr(0, begin.find("# End")), true).ok());
}

TEST(UnifiedDiff, AsDiffShowsIt)
{
    EXPECT_TRUE(unified_diff("a\n", "a\n", "f").empty());
    EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n", "1\n2\n3\n4\nx\n5\n", "f"),
              (std::vector<std::string>{"--- f", "+++ f", "@@ -2,4 +2,5 @@", " 2", " 3", " 4", "+x", " 5"}));
    EXPECT_EQ(unified_diff("a", "a\n", "f"),
              (std::vector<std::string>{"--- f", "+++ f", "@@ -1,1 +1,1 @@", "-a", "\\ No newline at end of file", "+a"}));
    std::string many;
    for (int i = 0; i < 30; ++i) many += std::to_string(i) + '\n';
    const auto two = unified_diff(many, "x\n" + many + "y\n", "f");
    EXPECT_EQ(std::count_if(two.begin(), two.end(), [](const std::string& line) { return line.starts_with("@@"); }), 2);
    EXPECT_EQ(two[2], "@@ -1,3 +1,4 @@");
    EXPECT_EQ(two[7], "@@ -28,3 +29,4 @@");
}

}  // namespace
}  // namespace slurm_adopt::tool
