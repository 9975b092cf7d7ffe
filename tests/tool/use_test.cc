// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt use, run by a user of a user database of the test's own.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run_tool.h"
#include "slurm_adopt/job_file.h"

namespace slurm_adopt::test {
namespace {

using Json = nlohmann::json;

constexpr uid_t someone = 12345;
constexpr const char* user_options[] = {"--reuid=12345", "--regid=12345", "--clear-groups"};

class Use : public ::testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "these tests need root";
        ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
        std::filesystem::copy_file(USE_TOOL, tool_);
        std::filesystem::create_directory(home_);
        ASSERT_EQ(::chown(home_.c_str(), someone, someone), 0);
        live_in(home_);
    }
    void TearDown() override
    {
        while (::umount2("/etc/passwd", MNT_DETACH) == 0) {
        }
    }
    void live_in(const std::string& home) const
    {
        const std::string users = directory_.write("passwd", "root:x:0:0::/root:/bin/sh\nsomeone:x:12345:12345::" + home + ":/bin/sh\n");
        ASSERT_EQ(::mount(users.c_str(), "/etc/passwd", nullptr, MS_BIND, nullptr), 0);
    }
    // setpriv(1) is what run_tool.h runs here.
    [[nodiscard]] Ran use(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) const
    {
        std::vector<std::string> words(std::begin(user_options), std::end(user_options));
        words.insert(words.end(), {"env"});
        words.insert(words.end(), environment.begin(), environment.end());
        words.insert(words.end(), {tool_, "use"});
        words.insert(words.end(), arguments.begin(), arguments.end());
        return run_tool(words);
    }
    [[nodiscard]] std::string config() const { return home_ + "/.config"; }
    [[nodiscard]] std::string folder() const { return config() + "/slurm-adopt"; }
    [[nodiscard]] std::string file() const { return folder() + "/job"; }
    [[nodiscard]] static mode_t mode_of(const std::string& path)
    {
        struct stat status {};
        return ::lstat(path.c_str(), &status) == 0 && status.st_uid == someone ? status.st_mode & 07777 : 0;
    }
    [[nodiscard]] std::vector<std::string> names() const
    {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder())) found.push_back(entry.path().filename());
        return found;
    }
    void expect_impossible(const Ran& ran, const std::string& why) const
    {
        EXPECT_EQ(ran.status, 3) << ran.out;
        EXPECT_NE(ran.err.find(why), std::string::npos) << ran.err;
        EXPECT_TRUE(ran.err.starts_with("slurm-adopt: ")) << ran.err;
    }

    const TempDirectory directory_;
    const std::string home_ = directory_ / "home";
    const std::string tool_ = directory_ / "slurm-adopt";
};

TEST_F(Use, ChoosesShowsAndClears)
{
    Ran ran = use({});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.out, "no job: " + file() + " is not there\n");
    EXPECT_FALSE(std::filesystem::exists(config())) << "nothing is made for a question";

    ran = use({"123"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.out, "job 123: where it runs, logins go there if the node lets users choose (" + file() + ")\n");
    EXPECT_EQ(contents(file()), "123\n");
    EXPECT_EQ(mode_of(config()), 0700U);
    EXPECT_EQ(mode_of(folder()), 0700U);
    EXPECT_EQ(mode_of(file()), 0600U);
    EXPECT_EQ(job_in(read_job_file(config().c_str(), someone)).value(), 123U) << "as a login reads it";

    struct stat before {};
    struct stat after {};
    ASSERT_EQ(::stat(file().c_str(), &before), 0);
    EXPECT_EQ(use({"0456"}).status, 0);
    EXPECT_EQ(contents(file()), "456\n");
    ASSERT_EQ(::stat(file().c_str(), &after), 0);
    EXPECT_NE(before.st_ino, after.st_ino) << "the old one or the new one, never half of one";
    EXPECT_EQ(names(), std::vector<std::string>{"job"});
    EXPECT_EQ(use({}).status, 0);

    ran = use({"--clear"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.out, "no job: " + file() + " is not there\n");
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(use({"--clear"}).status, 0) << "once more";
    std::filesystem::remove_all(config());
    EXPECT_EQ(use({"--clear"}).status, 0) << "nothing there";
    EXPECT_EQ(use({}).status, 1);
}

TEST_F(Use, AsJson)
{
    EXPECT_EQ(Json::parse(use({"--json"}).out), (Json{{"job", nullptr}, {"file", file()}, {"error", nullptr}}));
    EXPECT_EQ(Json::parse(use({"--json", "123"}).out), (Json{{"job", 123}, {"file", file()}, {"error", nullptr}}));
    (void)directory_.write("home/.config/slurm-adopt/job", "1\n2\n");
    const Ran ran = use({"--json"});
    EXPECT_EQ(Json::parse(ran.out), (Json{{"job", nullptr}, {"file", file()}, {"error", "it has more than one line"}}));
    expect_impossible(ran, "does not count: it has more than one line; choose anew with slurm-adopt use JOBID, or clear it with --clear");
}

TEST_F(Use, WhatIsNoJobIdChangesNothing)
{
    ASSERT_EQ(use({"123"}).status, 0);
    for (const char* job : {"0", "", "job", "1 2", "-1", "4294967296", "1.2"}) {
        const Ran ran = use({job});
        EXPECT_EQ(ran.status, 2) << job;
        EXPECT_EQ(ran.out, "") << job;
    }
    for (const char* job : {"123_4", "123+1"}) {
        const Ran ran = use({job});
        EXPECT_EQ(ran.status, 2) << job;
        EXPECT_NE(ran.err.find("squeue --me -O JobArrayID,JobID"), std::string::npos) << ran.err;
    }
    EXPECT_EQ(use({"1", "2"}).status, 2);
    EXPECT_EQ(use({"1", "--clear"}).status, 2);
    EXPECT_EQ(contents(file()), "123\n");
}

TEST_F(Use, FollowsNoLink)
{
    const std::string target = directory_.write("home/target", "mine\n");
    ASSERT_EQ(use({"1"}).status, 0);
    std::filesystem::remove(file());
    std::filesystem::create_symlink(target, file());
    expect_impossible(use({"123"}), "a symbolic link or no regular file; remove it with slurm-adopt use --clear");
    expect_impossible(use({}), "does not count: it is a symbolic link");
    EXPECT_EQ(use({"--clear"}).status, 0);
    EXPECT_FALSE(std::filesystem::is_symlink(file()));
    EXPECT_EQ(contents(target), "mine\n");

    std::filesystem::create_directory(file());
    expect_impossible(use({"123"}), "a directory; remove it");
    expect_impossible(use({"--clear"}), file());
    std::filesystem::remove(file());

    std::filesystem::rename(folder(), config() + "/real");
    std::filesystem::create_symlink("real", folder());
    expect_impossible(use({"123"}), "a symbolic link or no directory, which a login does not follow; remove it");
    expect_impossible(use({"--clear"}), "a symbolic link or no directory");
    EXPECT_TRUE(std::filesystem::is_empty(config() + "/real"));
    std::filesystem::remove(folder());

    // Dotfiles that are kept elsewhere are common, and a login follows that link.
    std::filesystem::rename(config(), home_ + "/dotfiles");
    std::filesystem::create_symlink("dotfiles", config());
    EXPECT_EQ(use({"123"}).status, 0);
    EXPECT_EQ(contents(home_ + "/dotfiles/slurm-adopt/job"), "123\n");
}

TEST_F(Use, WhatCannotBeWrittenIsSaidAndTheOldOneStays)
{
    ASSERT_EQ(use({"123"}).status, 0);
    ASSERT_EQ(::chmod(folder().c_str(), 0500), 0);
    expect_impossible(use({"456"}), "Permission denied");
    expect_impossible(use({"--clear"}), "Permission denied");
    EXPECT_EQ(contents(file()), "123\n");
    // A disk that is full.
    ASSERT_EQ(::chmod(folder().c_str(), 0700), 0);
    ASSERT_EQ(::mount("tmpfs", folder().c_str(), "tmpfs", 0, "size=4k,nr_inodes=2,uid=12345,mode=0700"), 0);
    (void)directory_.write("home/.config/slurm-adopt/job", "789\n");
    ASSERT_EQ(::chown(file().c_str(), someone, someone), 0);
    expect_impossible(use({"456"}), "No space left on device");
    EXPECT_EQ(contents(file()), "789\n");
    EXPECT_EQ(names(), std::vector<std::string>{"job"});
}

TEST_F(Use, TheHomeIsThatOfTheUserDatabase)
{
    const std::string other = directory_.make_directory("other");
    ASSERT_EQ(::chown(other.c_str(), someone, someone), 0);
    EXPECT_EQ(use({"123"}, {"HOME=" + other, "XDG_CONFIG_HOME=" + other}).status, 0);
    EXPECT_EQ(contents(file()), "123\n");
    EXPECT_TRUE(std::filesystem::is_empty(other));
    live_in("");
    expect_impossible(use({"123"}), "the user database names no home directory of uid 12345");
    live_in(directory_ / "gone");
    expect_impossible(use({"123"}), "No such file or directory");
}

TEST_F(Use, NotForRootBySudo)
{
    live_in(home_);
    const Ran ran = run_tool({"--keep-groups", "env", "SUDO_UID=12345", tool_, "use", "123"});
    expect_impossible(ran, "run it without sudo, or with sudo -u USER");
    EXPECT_FALSE(std::filesystem::exists(config()));
}

TEST_F(Use, AnAnswerThatNobodyGetsIsNone)
{
    ASSERT_EQ(use({"123"}).status, 0);
    EXPECT_EQ(run_tool({"sh", "-c", "exec \"$0\" --reuid=12345 --regid=12345 --clear-groups \"$1\" use >/dev/full", SLURM_ADOPT_TOOL, tool_}).status, 3);
}

}  // namespace
}  // namespace slurm_adopt::test
