// SPDX-License-Identifier: GPL-2.0-or-later
// The parser of PAM service files against pam.conf(5), against the files of distributions, and against libpam itself.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>

#include "pam_stack/flow.h"
#include "pam_stack/record.h"
#include "pam_stack/stack.h"
#include "support/temp_directory.h"

namespace slurm_adopt::pam_stack {
namespace {

Result<std::vector<Line>> parsed(const std::string& text)
{
    return parse_service_file(text, "f");
}

std::string error_of(const std::string& text)
{
    const auto lines = parsed(text);
    return lines.ok() ? "" : lines.error().context;
}

std::vector<std::string> texts(const std::vector<Module>& modules)
{
    std::vector<std::string> all;
    for (const Module& module : modules)
        all.push_back(module.line.place.text().substr(module.line.place.file.rfind('/') + 1) + ' ' + module.line.target);
    return all;
}

Result<Stack> stock(const std::string& layout, Type type)
{
    return read_stack({{std::string(PAM_LAYOUTS) + '/' + layout}}, "sshd", type);
}

TEST(PamServiceFile, LinesWithTheirPlaces)
{
    const auto lines =
        parsed("#%PAM-1.0\n\n  -account\trequired /lib/pam_x.so a=1 [b c] # [d\nSession Include common\n@include more\n");
    ASSERT_TRUE(lines.ok()) << lines.error().context;
    ASSERT_EQ(lines.value().size(), 3U);
    const Line& first = lines.value()[0];
    EXPECT_EQ(first.place.text(), "f:3");
    EXPECT_EQ(first.type, Type::account);
    EXPECT_TRUE(first.silent);
    EXPECT_EQ(first.target, "/lib/pam_x.so");
    EXPECT_EQ(module_name(first), "pam_x.so");
    EXPECT_EQ(first.arguments, (std::vector<std::string>{"a=1", "b c"}));
    EXPECT_EQ(lines.value()[1].kind, LineKind::include);
    EXPECT_EQ(lines.value()[1].type, Type::session);
    EXPECT_EQ(lines.value()[2].kind, LineKind::at_include);
    EXPECT_EQ(lines.value()[2].place.line, 5U);
}

TEST(PamServiceFile, AContinuedLineGoesOnPastComments)
{
    const auto lines = parsed(
        "account \\\n# remark\n\n required \\ \n pam_x.so a\naccount required pam_y.so # no \\\nauth required pam_z.so\n");
    ASSERT_TRUE(lines.ok()) << lines.error().context;
    ASSERT_EQ(lines.value().size(), 3U);
    EXPECT_EQ(lines.value()[0].place.line, 1U);
    EXPECT_EQ(lines.value()[0].last_line, 5U);
    EXPECT_EQ(lines.value()[0].text(), "account required pam_x.so a");
    EXPECT_EQ(lines.value()[2].place.line, 7U);
}

TEST(PamServiceFile, ControlFields)
{
    const auto lines = parsed("account [success=1 New_Authtok_Reqd=done default=ignore] pam_x.so\naccount sufficient "
                              "pam_y.so\naccount [success = ok] pam_z.so\n");
    ASSERT_TRUE(lines.ok()) << lines.error().context;
    const Control& first = lines.value()[0].control;
    EXPECT_EQ(first.action("success").kind, ActionKind::jump);
    EXPECT_EQ(first.action("success").jump, 1U);
    EXPECT_EQ(first.action("new_authtok_reqd").kind, ActionKind::done);
    EXPECT_EQ(first.action("perm_denied").kind, ActionKind::ignore);
    EXPECT_EQ(lines.value()[1].control.action("success").kind, ActionKind::done);
    EXPECT_EQ(lines.value()[2].control.action("success").kind, ActionKind::ok);
    EXPECT_EQ(lines.value()[2].control.action("ignore").kind, ActionKind::bad);
}

TEST(PamServiceFile, WhatLibpamWouldFailIsAnErrorWithItsPlace)
{
    EXPECT_NE(error_of("\nacount required pam_x.so\n").find("f:2: 'acount' is none of"), std::string::npos);
    EXPECT_NE(error_of("account\n").find("f:1: no control"), std::string::npos);
    EXPECT_NE(error_of("account required\n").find("f:1: no module"), std::string::npos);
    EXPECT_NE(error_of("account need pam_x.so\n").find("f:1: control 'need'"), std::string::npos);
    EXPECT_NE(error_of("account [success=0] pam_x.so\n").find("'success=0'"), std::string::npos);
    EXPECT_NE(error_of("account [succes=ok] pam_x.so\n").find("'succes'"), std::string::npos);
    EXPECT_NE(error_of("account [success=ok pam_x.so\n").find("']'"), std::string::npos);
    EXPECT_NE(error_of("account required pam_x.so \\\n").find("f:1: the last line ends in a backslash"), std::string::npos);
    EXPECT_NE(error_of("@include\n").find("f:1: @include"), std::string::npos);
    EXPECT_NE(error_of("account required pam_x.so\r\n").find("f:1: a control character"), std::string::npos);
}

TEST(PamServiceFile, ArgumentsThereAndBack)
{
    for (const std::string argument : {"strict", "helper=/a b", "[x", "a b]c", "exempt_users=D\\u"}) {
        const auto word = as_word(argument);
        ASSERT_TRUE(word.ok()) << argument;
        const auto words = cut_into_words(word.value());
        ASSERT_EQ(words.value().size(), 1U);
        EXPECT_EQ(unbracketed(words.value()[0]), argument);
    }
    for (const std::string argument : {"a#b", "a\nb", "", "a\\", "a b\\"}) EXPECT_FALSE(as_word(argument).ok()) << argument;
}

TEST(PamStack, Debian12)
{
    const auto account = stock("debian12", Type::account);
    ASSERT_TRUE(account.ok()) << account.error().context;
    EXPECT_EQ(texts(account.value().modules),
              (std::vector<std::string>{"sshd:7 pam_nologin.so", "common-account:17 pam_unix.so",
                                        "common-account:19 pam_deny.so", "common-account:23 pam_permit.so"}));
    EXPECT_EQ(account.value().modules[1].included_by[0].place.line, 14U);
    // @include has no type: those of the other sections are read too, and have no account line.
    EXPECT_EQ(account.value().own.size(), 5U);
    const auto session = stock("debian12", Type::session);
    ASSERT_TRUE(session.ok());
    EXPECT_EQ(find_modules(session.value(), "pam_systemd.so").size(), 1U);
    EXPECT_EQ(find_modules(session.value(), "pam_env.so").size(), 2U);
}

TEST(PamStack, RedHat9)
{
    const auto account = stock("redhat9", Type::account);
    ASSERT_TRUE(account.ok()) << account.error().context;
    ASSERT_EQ(account.value().modules.size(), 6U);
    EXPECT_EQ(account.value().modules[3].line.control.action("success").kind, ActionKind::done);
    EXPECT_EQ(account.value().modules[3].top, 2U);
    const auto auth = stock("redhat9", Type::auth);
    ASSERT_TRUE(auth.ok());
    EXPECT_EQ(auth.value().modules[0].substack, 1U);
}

TEST(PamStack, LoopsDepthAndMissingFilesAreNamed)
{
    const test::TempDirectory directory;
    const Directories directories{{directory.path()}};
    directory.write("a", "account include b\n");
    directory.write("b", "session include nothing\naccount substack a\n");
    const auto loop = read_stack(directories, "a", Type::account);
    ASSERT_FALSE(loop.ok());
    EXPECT_NE(loop.error().context.find("/b:2: includes"), std::string::npos) << loop.error().context;
    EXPECT_NE(loop.error().context.find("a loop"), std::string::npos);

    for (int i = 0; i < 20; ++i)
        directory.write("d" + std::to_string(i), "account include d" + std::to_string(i + 1) + "\n");
    directory.write("d20", "account required pam_permit.so\n");
    const auto deep = read_stack(directories, "d0", Type::account);
    ASSERT_FALSE(deep.ok());
    EXPECT_NE(deep.error().context.find("/d15:1: includes are nested deeper"), std::string::npos) << deep.error().context;
    EXPECT_TRUE(read_stack(directories, "d6", Type::account).ok());

    directory.write("m", "@include gone\n");
    const auto missing = read_stack(directories, "m", Type::account);
    ASSERT_FALSE(missing.ok());
    EXPECT_NE(missing.error().context.find("/m:1: includes 'gone'"), std::string::npos);
    EXPECT_EQ(read_stack(directories, "none", Type::account).error().errno_value, ENOENT);
    // Session lines of what an account line includes do not count.
    EXPECT_FALSE(read_stack(directories, "b", Type::session).ok());
}

// Two includes of the next file in each: 2^16 lines in the end.
TEST(PamStack, AStackWithoutAnEndIsGivenUp)
{
    const test::TempDirectory directory;
    for (int i = 0; i < 15; ++i) {
        const std::string line = "account include d" + std::to_string(i + 1) + "\n";
        directory.write("d" + std::to_string(i), line + line);
    }
    directory.write("d15", "account required pam_permit.so\n");
    const Directories directories{{directory.path()}};
    const auto stack = read_stack(directories, "d0", Type::account);
    ASSERT_FALSE(stack.ok());
    EXPECT_NE(stack.error().context.find(":1: the stack has more lines than 1024"), std::string::npos) << stack.error().context;
    const auto half = read_stack(directories, "d8", Type::account);
    ASSERT_TRUE(half.ok()) << half.error().context;
    EXPECT_EQ(half.value().modules.size(), 128U);
}

TEST(PamStack, TheFirstDirectoryCounts)
{
    const test::TempDirectory directory;
    directory.write("etc/common", "account required pam_permit.so\n");
    directory.write("usr/common", "account required pam_deny.so\n");
    directory.write("usr/s", "account include common\n");
    const auto stack = read_stack({{directory / "etc", directory / "usr"}}, "s", Type::account);
    ASSERT_TRUE(stack.ok()) << stack.error().context;
    EXPECT_EQ(stack.value().modules[0].line.target, "pam_permit.so");
    EXPECT_EQ(stack.value().files, (std::vector<std::string>{directory / "usr/s", directory / "etc/common"}));
}

// What the parser reads is what libpam does: PAM_SUCCESS where it says so, and no other answer.
int libpam(const std::string& text)
{
    const test::TempDirectory directory;
    // Linux-PAM 1.5 looks for included files in /etc/pam.d, whatever the directory: only absolute names stay here.
    std::string here = text;
    for (std::size_t at; (at = here.find("HERE")) != std::string::npos;) here.replace(at, 4, directory.path());
    directory.write("s", here);
    directory.write("ok", "account required pam_permit.so\n");
    directory.write("other", "account required pam_deny.so\n");
    directory.write("empty", "auth required pam_deny.so\n");
    directory.write("nested", "account substack " + directory / "two" + "\n");
    directory.write("two", "account required pam_permit.so\naccount required pam_permit.so\n");
    // In a process of its own: libpam 1.5.2 loses the memory of a line that it cannot read.
    const pid_t child = ::fork();
    if (child == 0) {
        const pam_conv conversation{[](int, const pam_message**, pam_response**, void*) { return PAM_CONV_ERR; }, nullptr};
        pam_handle_t* handle = nullptr;
        if (::pam_start_confdir("s", "root", &conversation, directory.path().c_str(), &handle) != PAM_SUCCESS) ::_exit(PAM_ABORT);
        const int code = ::pam_acct_mgmt(handle, PAM_SILENT);
        (void)::pam_end(handle, code);
        ::_exit(code);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) throw std::runtime_error("libpam did not end as it should");
    return WEXITSTATUS(status);
}

// A jump over one leaves out pam_deny, or stops before it.
TEST(PamStack, LibpamCountsSubstacksAsThePositionsDo)
{
    const std::string jump = "account [success=1 default=die] pam_permit.so\n";
    const std::string end = "account required pam_deny.so\naccount required pam_permit.so\n";
    EXPECT_EQ(libpam(jump + end), PAM_SUCCESS);
    EXPECT_NE(libpam(jump + "account substack HERE/empty\n" + end), PAM_SUCCESS);
    EXPECT_NE(libpam(jump + "account substack HERE/two\n" + end), PAM_SUCCESS);
    const std::string two = "account [success=2 default=die] pam_permit.so\n";
    EXPECT_EQ(libpam(two + "account substack HERE/two\n" + end), PAM_SUCCESS);
    // The same line twice: two substacks.
    EXPECT_NE(libpam(two + "account include HERE/nested\naccount include HERE/nested\n" + end), PAM_SUCCESS);

    const test::TempDirectory directory;
    directory.write("empty", "auth required pam_deny.so\n");
    directory.write("two", "account required pam_b.so\naccount required pam_c.so\n");
    directory.write("nested", "account substack two\n");
    const std::string text = "account required pam_a.so\naccount substack empty\naccount include nested\naccount include nested\n"
                             "account required pam_d.so\n";
    const auto stack = resolve_stack({{directory.path()}}, "s", text, Type::account);
    ASSERT_TRUE(stack.ok()) << stack.error().context;
    EXPECT_EQ(jump_positions(stack.value()), (std::vector<std::size_t>{0, 2, 2, 3, 3, 4}));
    const auto jumping = resolve_stack({{directory.path()}}, "s", jump + "account substack empty\n" + end, Type::account);
    ASSERT_TRUE(jumping.ok()) << jumping.error().context;
    EXPECT_TRUE(jumps_over(jumping.value(), 1).empty());
}

TEST(PamStack, LibpamReadsTheSame)
{
    EXPECT_EQ(libpam("account \\\n# remark\n\n required \\ \n pam_permit.so\n"), PAM_SUCCESS);
    EXPECT_EQ(libpam("account required pam_permit.so # no \\\naccount required pam_deny.so\n"),
              PAM_AUTH_ERR);  // what pam_deny says
    EXPECT_EQ(libpam("account [success = ok] pam_permit.so\n"), PAM_SUCCESS);
    EXPECT_EQ(libpam("ACCOUNT Include HERE/ok\n"), PAM_SUCCESS);
    EXPECT_EQ(libpam("\t@Include HERE/ok\n"), PAM_SUCCESS);
    EXPECT_NE(libpam("account required pam_permit.so\r\n"), PAM_SUCCESS);
    EXPECT_NE(libpam("account required pam_permit.so \\\n"), PAM_SUCCESS);
}

// Why our account line belongs above Debian's common-account: what its line of pam_unix does with an expired password.
// pam_deny stands for ours that refuses, pam_permit for ours that has adopted.
TEST(PamStack, AnExpiredPasswordEndsDebiansAccountPhase)
{
    const std::string expired = "account [success=1 new_authtok_reqd=done default=ignore] pam_debug.so acct=new_authtok_reqd\n"
                                "account requisite pam_deny.so\naccount required pam_permit.so\n";
    EXPECT_EQ(libpam(expired + "account required pam_deny.so\n"), PAM_NEW_AUTHTOK_REQD) << "below: not asked";
    EXPECT_EQ(libpam("account required pam_deny.so\n" + expired), PAM_AUTH_ERR);
    EXPECT_EQ(libpam("account required pam_permit.so\n" + expired), PAM_NEW_AUTHTOK_REQD);
    EXPECT_EQ(libpam("account required pam_debug.so acct=ignore\n" + expired), PAM_NEW_AUTHTOK_REQD) << "root";
    const auto line = parse_service_file(expired, "f").value().front();
    EXPECT_TRUE(ends_where_the_password_has_expired({line, 0, {}, 0}));
    EXPECT_FALSE(ends_where_the_password_has_expired({line, 1, {}, 0}));
    EXPECT_FALSE(ends_the_phase({line, 0, {}, 0}));
}

}  // namespace
}  // namespace slurm_adopt::pam_stack
