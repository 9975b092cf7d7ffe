// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt enable and disable as programs: what they leave behind, whatever happens to them.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>

#include "enable/replace_file.h"
#include "enable/trial.h"
#include "run_tool.h"
#include "support/private_mounts.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;
using test::contents;
using test::Ran;
using test::run_tool;

constexpr const char* stock = PAM_LAYOUTS "/debian12";

std::vector<std::string> enable_in(const std::string& directory, std::vector<std::string> more = {"--module", MODULE_PATH})
{
    more.insert(more.begin(), {"enable", "--confdir", directory});
    return more;
}

std::vector<std::string> disable_in(const std::string& directory)
{
    return {"disable", "--confdir", directory};
}

class EnableCommand : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root";
        copy_stock(directory_.path());
    }
    static void copy_stock(const std::string& to)
    {
        for (const auto& file : std::filesystem::directory_iterator(stock)) std::filesystem::copy(file, to);
    }
    [[nodiscard]] std::string sshd() const { return directory_ / "sshd"; }
    [[nodiscard]] static std::vector<std::string> names_in(const std::string& directory)
    {
        std::vector<std::string> names;
        for (const auto& file : std::filesystem::directory_iterator(directory)) names.push_back(file.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }

    const test::TempDirectory directory_;
    const std::string original_ = contents(std::string(stock) + "/sshd");
};

TEST_F(EnableCommand, TwiceThenDisableLeavesTheDirectoryAsItWas)
{
    const auto names = names_in(directory_.path());
    const Ran first = run_tool(enable_in(directory_.path()));
    ASSERT_EQ(first.status, 0) << first.err;
    EXPECT_NE(first.out.find("+account required " MODULE_PATH " strict\n"), std::string::npos) << first.out;
    EXPECT_NE(first.out.find("tried for root: gets in"), std::string::npos);
    EXPECT_EQ(contents(sshd() + ".slurm-adopt-backup"), original_);
    const std::string enabled = contents(sshd());
    EXPECT_NE(enabled, original_);

    const Ran second = run_tool(enable_in(directory_.path(), {}));
    ASSERT_EQ(second.status, 0) << second.err;
    EXPECT_NE(second.out.find("nothing to do"), std::string::npos) << second.out;
    EXPECT_EQ(contents(sshd()), enabled);

    const Ran off = run_tool(disable_in(directory_.path()));
    ASSERT_EQ(off.status, 0) << off.err;
    EXPECT_EQ(contents(sshd()), original_);
    EXPECT_EQ(names_in(directory_.path()), names);
    EXPECT_EQ(run_tool(disable_in(directory_.path())).status, 0);
}

TEST_F(EnableCommand, ADryRunChangesNothing)
{
    const auto names = names_in(directory_.path());
    const Ran dry = run_tool(enable_in(directory_.path(), {"--module", MODULE_PATH, "--dry-run", "--json"}));
    EXPECT_EQ(dry.status, 0) << dry.err;
    EXPECT_NE(dry.out.find("\"changed\": false"), std::string::npos);
    EXPECT_NE(dry.out.find("+session required"), std::string::npos);
    EXPECT_EQ(contents(sshd()), original_);
    EXPECT_EQ(names_in(directory_.path()), names);
}

TEST_F(EnableCommand, OwnerModeAndAttributesAreKept)
{
    ASSERT_EQ(::chmod(sshd().c_str(), 0640), 0);
    ASSERT_EQ(::chown(sshd().c_str(), 0, 12), 0);
    const bool attributes = ::setxattr(sshd().c_str(), "trusted.slurm_adopt_test", "x", 1, 0) == 0;
    ASSERT_EQ(run_tool(enable_in(directory_.path())).status, 0);
    struct stat status {};
    ASSERT_EQ(::stat(sshd().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
    EXPECT_EQ(status.st_gid, 12U);
    char value = 0;
    EXPECT_EQ(::getxattr(sshd().c_str(), "trusted.slurm_adopt_test", &value, 1) == 1, attributes);
}

TEST_F(EnableCommand, WhatIsRefusedChangesNothing)
{
    const auto refused = [this](const std::vector<std::string>& call, const std::string& why) {
        const std::string before = contents(sshd());
        const auto names = names_in(directory_.path());
        const Ran ran = run_tool(call);
        EXPECT_EQ(ran.status, 3);
        EXPECT_NE(ran.err.find(why), std::string::npos) << ran.err;
        EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
        EXPECT_EQ(contents(sshd()), before);
        EXPECT_EQ(names_in(directory_.path()), names);
    };
    const std::string here = directory_.path();
    refused(enable_in(here, {"--module", MODULE_PATH, "--options", "strict", "timout=3"}), "unknown option 'timout=3'");
    refused(enable_in(here, {"--module", "/nowhere/pam_slurm_adopt.so"}), "libpam cannot use /nowhere/pam_slurm_adopt.so");
    refused(enable_in(here, {"--service", "nothing"}), "nothing: No such file");
    refused(enable_in(here, {"--service", "../sshd"}), "no name of a PAM service");
    if (std::filesystem::exists("/lib/security/pam_slurm_adopt.so"))
        refused(enable_in(here, {"--module", "/lib/security/pam_slurm_adopt.so"}), "it is Slurm's own module");

    ASSERT_EQ(::chmod(sshd().c_str(), 0666), 0);
    refused(enable_in(here), "writable by others");
    ASSERT_EQ(::chmod(sshd().c_str(), 0644), 0);
    std::filesystem::create_hard_link(sshd(), here + "/other-name");
    refused(enable_in(here), "hard links");
    std::filesystem::remove(sshd());
    std::filesystem::create_symlink("other-name", sshd());
    refused(enable_in(here), "a symbolic link");
}

TEST_F(EnableCommand, AModuleThatRefusesRootIsRefused)
{
    const std::string module = directory_ / "pam_slurm_adopt.so";
    for (const char* directory :
         {"/lib/x86_64-linux-gnu/security", "/usr/lib64/security", "/lib/aarch64-linux-gnu/security"})
        if (std::filesystem::exists(directory + std::string("/pam_deny.so")))
            std::filesystem::copy(directory + std::string("/pam_deny.so"), module);
    if (!std::filesystem::exists(module)) GTEST_SKIP() << "no pam_deny.so found";
    const Ran ran = run_tool(enable_in(directory_.path(), {"--module", module}));
    EXPECT_EQ(ran.status, 3);
    EXPECT_NE(ran.err.find("libpam cannot use"), std::string::npos) << ran.err;
    EXPECT_EQ(contents(sshd()), original_);
}

TEST_F(EnableCommand, TheTrialSeesWhoIsRefused)
{
    const pam_stack::Directories directories{{directory_.path()}};
    const auto good = try_account_for_root(directories, "sshd", sshd(), original_);
    ASSERT_TRUE(good.ok()) << good.error().context;
    EXPECT_EQ(good.value(), 0);
    // Through an include, and from the private copy of it: common-account of the machine lets root in.
    directory_.write("common-account", "account required pam_deny.so\n");
    EXPECT_NE(try_account_for_root(directories, "sshd", sshd(), original_).value(), 0);
    const Ran ran = run_tool(enable_in(directory_.path()));
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_NE(ran.out.find("before and after alike"), std::string::npos) << ran.out;
}

TEST_F(EnableCommand, AStackThatWouldLockRootOutIsNeverWritten)
{
    const std::string module = directory_ / "pam_slurm_adopt.so";
    std::filesystem::copy(MOODY_MODULE, module);
    const std::string mood = "helper=" + directory_ / "mood";
    const auto names = names_in(directory_.path());
    const Ran refused = run_tool(enable_in(directory_.path(), {"--module", module, "--options", mood}));
    EXPECT_EQ(refused.status, 3);
    EXPECT_NE(refused.err.find("the new stack would refuse root"), std::string::npos) << refused.err;
    std::filesystem::remove(directory_ / "mood");
    const Ran died = run_tool(enable_in(directory_.path(), {"--module", module, "--options", mood, "nodename=dies"}));
    EXPECT_EQ(died.status, 3);
    EXPECT_NE(died.err.find("ended the process that tried them"), std::string::npos) << died.err;
    std::filesystem::remove(directory_ / "mood");
    EXPECT_EQ(contents(sshd()), original_);
    EXPECT_EQ(names_in(directory_.path()), names);
}

TEST_F(EnableCommand, ASecondRunIsLockedOut)
{
    const auto held = EditedFile::open(sshd());
    ASSERT_TRUE(held.ok()) << held.error().context;
    const Ran ran = run_tool(enable_in(directory_.path()));
    EXPECT_EQ(ran.status, 3);
    EXPECT_NE(ran.err.find("another slurm-adopt edits it now"), std::string::npos) << ran.err;
    EXPECT_EQ(contents(sshd()), original_);
}

TEST_F(EnableCommand, AnEditorsChangeMeanwhileIsNotLost)
{
    const auto file = EditedFile::open(sshd());
    ASSERT_TRUE(file.ok());
    directory_.write("sshd", "somebody else's\n");
    const auto done = file.value().replace("ours\n");
    ASSERT_FALSE(done.ok());
    EXPECT_NE(done.error().context.find("meanwhile"), std::string::npos);
    EXPECT_EQ(contents(sshd()), "somebody else's\n");
}

TEST_F(EnableCommand, BackupsAreNeverWrittenOver)
{
    directory_.write("sshd.slurm-adopt-backup", "an older one\n");
    ASSERT_EQ(run_tool(enable_in(directory_.path())).status, 0);
    EXPECT_EQ(contents(sshd() + ".slurm-adopt-backup"), "an older one\n");
    EXPECT_EQ(contents(sshd() + ".slurm-adopt-backup.1"), original_);
    const auto disabled = run_tool(disable_in(directory_.path()));
    ASSERT_EQ(disabled.status, 0);
    EXPECT_EQ(contents(sshd() + ".slurm-adopt-backup"), "an older one\n");
    EXPECT_FALSE(std::filesystem::exists(sshd() + ".slurm-adopt-backup.1"));
    EXPECT_NE(disabled.out.find("a backup with other content stays: " + sshd() + ".slurm-adopt-backup\n"), std::string::npos)
        << disabled.out;
}

TEST_F(EnableCommand, ManyAtOnceLeaveAWholeFile)
{
    ASSERT_EQ(run_tool(enable_in(directory_.path())).status, 0);
    const std::string enabled = contents(sshd());
    std::vector<std::unique_ptr<test::Tool>> tools;
    for (int i = 0; i < 12; ++i)
        tools.push_back(
            std::make_unique<test::Tool>(i % 2 == 0 ? disable_in(directory_.path()) : enable_in(directory_.path())));
    for (const auto& tool : tools) {
        const Ran ran = tool->wait();
        EXPECT_TRUE(ran.status == 0 || ran.err.find("another slurm-adopt edits it now") != std::string::npos) << ran.err;
    }
    EXPECT_TRUE(contents(sshd()) == original_ || contents(sshd()) == enabled) << contents(sshd());
}

TEST_F(EnableCommand, KilledAtAnyMomentTheFileIsTheOldOrTheNewOne)
{
    ASSERT_EQ(run_tool(enable_in(directory_.path())).status, 0);
    const std::string enabled = contents(sshd());
    const auto start = std::chrono::steady_clock::now();
    ASSERT_EQ(run_tool(disable_in(directory_.path())).status, 0);
    const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
    std::mt19937 random(20261121);
    int killed = 0;
    for (int i = 0; i < 120; ++i) {
        const bool on = contents(sshd()) == original_;
        test::Tool tool(on ? enable_in(directory_.path()) : disable_in(directory_.path()));
        std::this_thread::sleep_for(
            std::chrono::microseconds(std::uniform_int_distribution<long>(0, whole.count() * 3 / 2)(random)));
        tool.kill();
        if (tool.wait().status == -1) ++killed;
        const std::string now = contents(sshd());
        ASSERT_TRUE(now == original_ || now == enabled) << now;
    }
    EXPECT_GT(killed, 20);
    EXPECT_EQ(run_tool(enable_in(directory_.path())).status, 0);
    EXPECT_EQ(contents(sshd()), enabled);
    EXPECT_EQ(run_tool(disable_in(directory_.path())).status, 0);
    EXPECT_EQ(contents(sshd()), original_);
    EXPECT_FALSE(std::filesystem::exists(directory_ / ".sshd.slurm-adopt-new"));
}

class EnableOnOtherFileSystems : public test::PrivateMounts {
protected:
    // A file system of its own with the stock files; `options` of its second mount.
    std::string mounted(const char* options, unsigned long flags)
    {
        const std::string at = path() + "/pam.d";
        std::filesystem::create_directory(at);
        EXPECT_EQ(::mount("tmpfs", at.c_str(), "tmpfs", 0, options), 0);
        for (const auto& file : std::filesystem::directory_iterator(stock)) std::filesystem::copy(file, at);
        EXPECT_EQ(::mount("tmpfs", at.c_str(), "tmpfs", MS_REMOUNT | flags, options), 0);
        return at;
    }
    const std::string original_ = contents(std::string(stock) + "/sshd");
};

TEST_F(EnableOnOtherFileSystems, AReadOnlyDirectory)
{
    const std::string at = mounted("mode=0755", MS_RDONLY);
    const Ran ran = run_tool(enable_in(at));
    EXPECT_EQ(ran.status, 3);
    EXPECT_NE(ran.err.find("Read-only file system"), std::string::npos) << ran.err;
    EXPECT_EQ(contents(at + "/sshd"), original_);
}

TEST_F(EnableOnOtherFileSystems, AFullOne)
{
    const std::string at = mounted("mode=0755,size=64k", 0);
    std::ofstream(at + "/filler") << std::string(64 * 1024, 'x');
    const Ran full = run_tool(enable_in(at));
    EXPECT_EQ(full.status, 3);
    EXPECT_NE(full.err.find("No space left"), std::string::npos) << full.err;
    EXPECT_EQ(contents(at + "/sshd"), original_);
    EXPECT_FALSE(std::filesystem::exists(at + "/.sshd.slurm-adopt-new"));
    EXPECT_FALSE(std::filesystem::exists(at + "/sshd.slurm-adopt-backup"));

    // Room for the backup, not for the new file.
    std::filesystem::resize_file(at + "/filler", std::filesystem::file_size(at + "/filler") - 4096);
    const Ran backed_up = run_tool(enable_in(at));
    EXPECT_EQ(backed_up.status, 3);
    EXPECT_NE(backed_up.err.find("No space left"), std::string::npos) << backed_up.err;
    EXPECT_EQ(contents(at + "/sshd"), original_);
    EXPECT_FALSE(std::filesystem::exists(at + "/.sshd.slurm-adopt-new"));
    std::filesystem::remove(at + "/filler");
    EXPECT_EQ(run_tool(enable_in(at)).status, 0);
}

TEST_F(EnableOnOtherFileSystems, OnTheMachinesOwnDirectory)
{
    const std::string at = mounted("mode=0755", 0);
    ASSERT_EQ(::mount(at.c_str(), "/etc/pam.d", nullptr, MS_BIND, nullptr), 0);
    const Ran on = run_tool({"enable", "--module", MODULE_PATH});
    EXPECT_EQ(on.status, 0) << on.err;
    EXPECT_NE(contents("/etc/pam.d/sshd"), original_);
    const Ran off = run_tool({"disable"});
    EXPECT_EQ(off.status, 0) << off.err;
    EXPECT_EQ(contents("/etc/pam.d/sshd"), original_);
    ASSERT_EQ(::umount2("/etc/pam.d", MNT_DETACH), 0);
}

}  // namespace
}  // namespace slurm_adopt::tool
