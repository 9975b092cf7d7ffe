// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt-lines, which the scripts of packages ask before the module's file comes and before it goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pam_lines/loaded_lines.h"
#include "run_tool.h"
#include "support/temp_directory.h"

namespace slurm_adopt::pam_lines {
namespace {

using test::Ran;
using test::TempDirectory;

class PamLines : public ::testing::Test {
protected:
    [[nodiscard]] std::string service(const std::string& name, const std::string& text) const
    {
        return directory_.write("pam.d/" + name, text);
    }
    [[nodiscard]] Ran ask(std::vector<std::string> arguments) const
    {
        arguments.insert(arguments.end(), {"--confdir", directory_ / "pam.d"});
        return test::run_tool(arguments);
    }
    [[nodiscard]] LoadedLines found() const { return find_loaded_lines({{directory_ / "pam.d"}}); }

    const TempDirectory directory_;
};

TEST_F(PamLines, NoServiceNoLine)
{
    const Ran ran = ask({"options"});
    EXPECT_EQ(ran.status, 0) << ran.out;
    EXPECT_EQ(ran.out, "");
}

TEST_F(PamLines, WhatTheModuleTakes)
{
    (void)service("sshd", "account required pam_slurm_adopt.so action_unknown=deny log_level=debug nodename=n1\n"
                          "account required pam_unix.so action_unknown=bogus\n"
                          "# account required pam_slurm_adopt.so bogus\n");
    const Ran ran = ask({"options"});
    EXPECT_EQ(ran.status, 0) << ran.out;
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(found().lines.size(), 1U);
}

// Each of these is a line with which Slurm's module lets users in.
TEST_F(PamLines, WhatOnlySlurmsModuleTakes)
{
    for (const std::string options : {"action_no_jobs=IGNORE", "action_no_jobs=ignorex", "Action_No_Jobs=ignore", "debug",
                                      "log_level=Debug", "disable_x11", "join_container=no", "log_level=1 log_level=2"}) {
        const std::string file =
            service("sshd", "auth required pam_unix.so\naccount required pam_slurm_adopt.so " + options + '\n');
        const Ran ran = ask({"options"});
        EXPECT_EQ(ran.status, 1) << options;
        EXPECT_TRUE(ran.out.starts_with(file + ":2: account required pam_slurm_adopt.so " + options + '\n')) << ran.out;
        EXPECT_NE(ran.out.find("\n    fix: correct or remove that option in " + file + ":2\n"), std::string::npos)
            << ran.out;
    }
}

TEST_F(PamLines, EveryServiceAndEachLineOnce)
{
    (void)service("sshd", "@include common-account\n");
    (void)service("login", "account include common-account\nsession optional /elsewhere/pam_slurm_adopt.so typo\n");
    (void)service("common-account", "account required pam_unix.so\naccount \\\n required pam_slurm_adopt.so typo\n");
    const Ran ran = ask({"options"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 6) << ran.out;
    EXPECT_NE(ran.out.find("/common-account:2: account required pam_slurm_adopt.so typo\n"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("/login:2: session optional /elsewhere/pam_slurm_adopt.so typo\n"), std::string::npos) << ran.out;
}

TEST_F(PamLines, LeftOversAreNoServices)
{
    for (const char* const name : {".sshd", "sshd~", "sshd.dpkg-old", "sshd.dpkg-dist", "sshd.ucf-old", "sshd.rpmnew",
                                   "sshd.rpmsave", "sshd.rpmorig"})
        (void)service(name, "account required pam_slurm_adopt.so typo\n");
    EXPECT_EQ(ask({"options"}).status, 0);
    (void)service("sshd.old", "account required pam_slurm_adopt.so typo\n");
    EXPECT_EQ(ask({"options"}).status, 1);
}

TEST_F(PamLines, StacksThatCannotBeRead)
{
    (void)service("su", "account required\n");
    (void)service("cron", "@include not-there\n");
    EXPECT_EQ(ask({"options"}).status, 0) << "none of them loads the module";
    (void)service("sshd", "account required pam_slurm_adopt.so\n@include not-there\n");
    const Ran ran = ask({"options"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.out.find("/sshd:2: includes 'not-there'"), std::string::npos) << ran.out;
    EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 3) << "said once:\n" << ran.out;
}

TEST_F(PamLines, WhatIsLeftWithoutTheModule)
{
    const std::string ours = directory_.write("ours/pam_slurm_adopt.so", "");
    const std::string other = directory_.write("other/pam_slurm_adopt.so", "");
    const std::string sshd = service("sshd", "account required pam_slurm_adopt.so\n");
    // Slurm's module takes the account line, and its own options are its own business.
    EXPECT_EQ(ask({"without", ours, "--other", other}).status, 0);
    EXPECT_EQ(ask({"without", ours, "--other", other + ".not-there"}).status, 1);
    const Ran alone = ask({"without", ours});
    EXPECT_EQ(alone.status, 1);
    EXPECT_TRUE(alone.out.starts_with(sshd + ":1: account required pam_slurm_adopt.so\n")) << alone.out;
    // It has no session phase.
    (void)service("sshd", "account required pam_slurm_adopt.so\nsession required pam_slurm_adopt.so\n");
    const Ran session = ask({"without", ours, "--other", other});
    EXPECT_EQ(session.status, 1);
    EXPECT_TRUE(session.out.starts_with(sshd + ":2: session")) << session.out;
}

TEST_F(PamLines, AFileNamedByItsPath)
{
    const std::string ours = directory_.write("ours/pam_slurm_adopt.so", "");
    const std::string other = directory_.write("other/pam_slurm_adopt.so", "");
    (void)service("sshd", "session required " + other + '\n');
    EXPECT_EQ(ask({"without", ours, "--other", other}).status, 0) << "that file stays";
    // By another path, as /lib is one to /usr/lib.
    std::filesystem::create_directory_symlink(directory_ / "ours", directory_ / "alias");
    (void)service("sshd", "account required " + (directory_ / "alias/pam_slurm_adopt.so") + '\n');
    EXPECT_EQ(ask({"without", ours, "--other", other}).status, 1);
}

TEST_F(PamLines, CommandLine)
{
    const std::vector<std::vector<std::string>> wrong = {{},
                                                         {"bogus"},
                                                         {"without"},
                                                         {"options", "--other", "/x"},
                                                         {"options", "--confdir"},
                                                         {"options", "x"},
                                                         {"without", "/x", "y"}};
    for (const auto& arguments : wrong) {
        const Ran ran = test::run_tool(arguments);
        EXPECT_EQ(ran.status, 2);
        EXPECT_TRUE(ran.err.starts_with("usage: ")) << ran.err;
        EXPECT_EQ(ran.out, "");
    }
}

}  // namespace
}  // namespace slurm_adopt::pam_lines
