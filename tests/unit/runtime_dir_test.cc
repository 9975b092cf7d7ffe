// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions that behave; those that do not are in runtime_dir_killed_test.cc and runtime_dir_hostile_test.cc.
#include "slurm_adopt/runtime_dir.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <filesystem>
#include <vector>

#include "slurm_adopt/fd.h"
#include "support/capabilities.h"
#include "support/descriptors.h"
#include "support/forked.h"
#include "support/runtime_dirs.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::other;
using test::someone;

class UsersRuntimeDir : public test::RuntimeDirTest {};

bool is_tmpfs_of_its_own(const std::string& path)
{
    struct stat status {};
    struct stat above {};
    struct statfs system {};
    return ::stat(path.c_str(), &status) == 0 && ::stat((path + "/..").c_str(), &above) == 0 &&
           ::statfs(path.c_str(), &system) == 0 && system.f_type == TMPFS_MAGIC && status.st_dev != above.st_dev;
}

TEST_F(UsersRuntimeDir, IsAPrivateTmpfsOfTheUsers)
{
    const auto descriptors = test::open_descriptors();
    const auto opened = open_for(someone, ::getpid());
    ASSERT_TRUE(opened) << opened.error().context;
    EXPECT_EQ(opened.value().path, dirs_.base + "/user/" + std::to_string(someone));
    EXPECT_TRUE(test::is_private_to(opened.value().path, someone));
    EXPECT_TRUE(is_tmpfs_of_its_own(opened.value().path));
    EXPECT_TRUE(opened.value().limited);
    EXPECT_TRUE(open_for(someone, ::getpid()).value().limited) << "the one that is there already";
    struct statvfs system {};
    ASSERT_EQ(::statvfs(opened.value().path.c_str(), &system), 0);
    EXPECT_EQ(system.f_blocks * system.f_frsize, runtime_dir_most_bytes);
    EXPECT_EQ(system.f_files, runtime_dir_most_files);
    EXPECT_EQ(system.f_flag & (ST_NOSUID | ST_NODEV | ST_RDONLY), static_cast<unsigned long>(ST_NOSUID | ST_NODEV));
    EXPECT_EQ(test::open_descriptors(), descriptors);
    test::Forked user([&] {
        return ::setgid(someone) == 0 && ::setuid(someone) == 0 && ::chdir(opened.value().path.c_str()) == 0 &&
               ::mkdir("made", 0700) == 0;
    });
    EXPECT_TRUE(user.succeeds());
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
    EXPECT_EQ(test::open_descriptors(), descriptors);
}

TEST_F(UsersRuntimeDir, StaysUntilTheLastSessionEnds)
{
    test::Forked first([] { return ::pause() == 0; });
    test::Forked second([] { return ::pause() == 0; });
    const auto opened = open_for(someone, first.pid());
    ASSERT_TRUE(opened);
    directory_.write("run/user/12345/file", "text");
    ASSERT_TRUE(open_for(someone, second.pid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value().path + "/file")) << "the second session takes what is there";
    EXPECT_TRUE(close_for(someone, first.pid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value().path + "/file"));
    EXPECT_TRUE(close_for(someone, first.pid())) << "twice is once";
    EXPECT_TRUE(std::filesystem::exists(opened.value().path + "/file"));
    EXPECT_TRUE(close_for(someone, second.pid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(UsersRuntimeDir, TheSameSessionTwiceIsOne)
{
    const auto opened = open_for(someone, ::getpid());
    ASSERT_TRUE(opened);
    directory_.write("run/user/12345/file", "text");
    ASSERT_TRUE(open_for(someone, ::getpid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value().path + "/file"));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(UsersRuntimeDir, UsersDoNotShare)
{
    const auto first = open_for(someone, ::getpid());
    const auto second = open_for(other, ::getpid());
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(test::is_private_to(first.value().path, someone));
    EXPECT_TRUE(test::is_private_to(second.value().path, other));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_FALSE(std::filesystem::exists(first.value().path));
    EXPECT_TRUE(test::is_private_to(second.value().path, other));
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(UsersRuntimeDir, RootHasOneToo)
{
    const auto opened = open_for(0, ::getpid());
    ASSERT_TRUE(opened);
    EXPECT_TRUE(test::is_private_to(opened.value().path, 0));
    EXPECT_TRUE(is_tmpfs_of_its_own(opened.value().path));
    directory_.write("run/user/0/file", "text");
    ASSERT_TRUE(open_for(0, ::getpid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value().path + "/file"));
    EXPECT_TRUE(close_for(0, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(UsersRuntimeDir, WithoutThePermissionToMountItIsAPlainDirectory)
{
    test::Forked child([this] {
        if (!test::drop_capability(CAP_SYS_ADMIN)) return false;
        (void)::umask(0777);
        const auto opened = open_for(someone, ::getpid());
        if (!opened || opened.value().limited || is_tmpfs_of_its_own(opened.value().path) ||
            !test::is_private_to(opened.value().path, someone))
            return false;
        directory_.write("run/user/12345/a/b/file", "text");
        const auto again = open_for(someone, ::getpid());
        return again.ok() && !again.value().limited && std::filesystem::exists(opened.value().path + "/a/b/file") &&
               close_for(someone, ::getpid()).ok() && nothing_is_left();
    });
    EXPECT_TRUE(child.succeeds());
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(UsersRuntimeDir, WhatIsUnderTheMountIsRemovedToo)
{
    test::Forked child([this] { return test::drop_capability(CAP_SYS_ADMIN) && open_for(someone, ::getppid()).ok(); });
    ASSERT_TRUE(child.succeeds());
    directory_.write("run/user/12345/a/b/file", "text");
    ASSERT_EQ(::mount("tmpfs", (dirs_.base + "/user/12345").c_str(), "tmpfs", 0, nullptr), 0);
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(UsersRuntimeDir, TheUmaskOfTheHostDoesNotMatter)
{
    for (const mode_t mask : {0777U, 0000U}) {
        const mode_t before = ::umask(mask);
        const auto opened = open_for(someone, ::getpid());
        EXPECT_EQ(::umask(before), mask);
        ASSERT_TRUE(opened) << opened.error().context;
        EXPECT_TRUE(test::is_private_to(opened.value().path, someone));
        struct stat status {};
        for (const auto& [name, mode] : {std::pair("", 0755U), {"/user", 0755U}, {"/sessions", 0700U}, {"/trash", 0700U}}) {
            ASSERT_EQ(::stat((dirs_.base + name).c_str(), &status), 0) << name;
            EXPECT_EQ(status.st_mode & 07777, mode) << name;
        }
        EXPECT_TRUE(close_for(someone, ::getpid()));
        EXPECT_EQ(::umask(before), before);
        std::filesystem::remove_all(dirs_.base);
    }
}

TEST_F(UsersRuntimeDir, ClosingWhatWasNeverOpenedMakesNothing)
{
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_FALSE(std::filesystem::exists(dirs_.base));
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(test::is_private_to(dirs_.base + "/user/" + std::to_string(other), other));
}

TEST_F(UsersRuntimeDir, SeenFromAnotherMountNamespaceItIsNotLost)
{
    // A session that has joined its job's namespace before: its mount is not seen here.
    test::Ready ready;
    test::Forked inside(
        [&] { return ::unshare(CLONE_NEWNS) == 0 && open_for(someone, ::getpid()).ok() && ready.tell() && ::pause() == 0; });
    ASSERT_TRUE(ready.wait());
    const auto opened = open_for(someone, ::getpid());
    ASSERT_TRUE(opened) << opened.error().context;
    EXPECT_TRUE(test::is_private_to(opened.value().path, someone));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(close_for(someone, inside.pid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(UsersRuntimeDir, TwentyAtOnce)
{
    std::vector<test::Forked> children;
    for (int i = 0; i < 20; ++i) {
        children.emplace_back([this, i] {
            const uid_t uid = i % 4 == 0 ? other : someone;
            const std::string own = '/' + std::to_string(::getpid());
            int opened_in_all = 0;
            for (int round = 0; round < 50; ++round) {
                // Nobody waits in turn: one may find the user's lock held for a second, and has no session then.
                const auto opened = open_for(uid, ::getpid());
                if (!opened && opened.error().code == ErrorCode::timed_out) continue;
                if (!opened || !test::is_private_to(opened.value().path, uid)) return false;
                ++opened_in_all;
                const std::string file = opened.value().path + own;
                const Fd made(::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600));
                (void)::usleep(static_cast<useconds_t>((::getpid() + round) % 7) * 100);
                // Gone if somebody has removed the directory, or mounted on it, under a session that lives.
                if (!made || ::unlink(file.c_str()) != 0) return false;
                const auto closed = close_for(uid, ::getpid());
                if (!closed && closed.error().code != ErrorCode::timed_out) return false;
            }
            return opened_in_all > 0;
        });
    }
    for (auto& child : children) EXPECT_TRUE(child.succeeds());
    EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace slurm_adopt
