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

class RuntimeDir : public test::RuntimeDirTest {};

bool is_tmpfs_of_its_own(const std::string& path)
{
    struct stat status {};
    struct stat above {};
    struct statfs system {};
    return ::stat(path.c_str(), &status) == 0 && ::stat((path + "/..").c_str(), &above) == 0 &&
           ::statfs(path.c_str(), &system) == 0 && system.f_type == TMPFS_MAGIC && status.st_dev != above.st_dev;
}

TEST_F(RuntimeDir, IsAPrivateTmpfsOfTheUsers)
{
    const auto descriptors = test::open_descriptors();
    const auto opened = open_for(someone, ::getpid());
    ASSERT_TRUE(opened) << opened.error().context;
    EXPECT_EQ(opened.value(), dirs_.base + "/user/" + std::to_string(someone));
    EXPECT_TRUE(test::is_private_to(opened.value(), someone));
    EXPECT_TRUE(is_tmpfs_of_its_own(opened.value()));
    struct statvfs system {};
    ASSERT_EQ(::statvfs(opened.value().c_str(), &system), 0);
    EXPECT_EQ(system.f_blocks * system.f_frsize, runtime_dir_most_bytes);
    EXPECT_EQ(system.f_files, runtime_dir_most_files);
    EXPECT_EQ(system.f_flag & (ST_NOSUID | ST_NODEV | ST_RDONLY), static_cast<unsigned long>(ST_NOSUID | ST_NODEV));
    EXPECT_EQ(test::open_descriptors(), descriptors);
    test::Forked user([&] {
        return ::setgid(someone) == 0 && ::setuid(someone) == 0 && ::chdir(opened.value().c_str()) == 0 &&
               ::mkdir("made", 0700) == 0;
    });
    EXPECT_TRUE(user.succeeds());
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
    EXPECT_EQ(test::open_descriptors(), descriptors);
}

TEST_F(RuntimeDir, StaysUntilTheLastSessionEnds)
{
    test::Forked first([] { return ::pause() == 0; });
    test::Forked second([] { return ::pause() == 0; });
    const auto opened = open_for(someone, first.pid());
    ASSERT_TRUE(opened);
    directory_.write("run/user/12345/file", "text");
    ASSERT_TRUE(open_for(someone, second.pid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value() + "/file")) << "the second session takes what is there";
    EXPECT_TRUE(close_for(someone, first.pid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value() + "/file"));
    EXPECT_TRUE(close_for(someone, first.pid())) << "twice is once";
    EXPECT_TRUE(std::filesystem::exists(opened.value() + "/file"));
    EXPECT_TRUE(close_for(someone, second.pid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDir, TheSameSessionTwiceIsOne)
{
    const auto opened = open_for(someone, ::getpid());
    ASSERT_TRUE(opened);
    directory_.write("run/user/12345/file", "text");
    ASSERT_TRUE(open_for(someone, ::getpid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value() + "/file"));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDir, UsersDoNotShare)
{
    const auto first = open_for(someone, ::getpid());
    const auto second = open_for(other, ::getpid());
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(test::is_private_to(first.value(), someone));
    EXPECT_TRUE(test::is_private_to(second.value(), other));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_FALSE(std::filesystem::exists(first.value()));
    EXPECT_TRUE(test::is_private_to(second.value(), other));
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDir, RootHasOneToo)
{
    const auto opened = open_for(0, ::getpid());
    ASSERT_TRUE(opened);
    EXPECT_TRUE(test::is_private_to(opened.value(), 0));
    EXPECT_TRUE(is_tmpfs_of_its_own(opened.value()));
    directory_.write("run/user/0/file", "text");
    ASSERT_TRUE(open_for(0, ::getpid()));
    EXPECT_TRUE(std::filesystem::exists(opened.value() + "/file"));
    EXPECT_TRUE(close_for(0, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDir, WithoutThePermissionToMountItIsAPlainDirectory)
{
    test::Forked child([this] {
        if (!test::drop_capability(CAP_SYS_ADMIN)) return false;
        (void)::umask(0777);
        const auto opened = open_for(someone, ::getpid());
        if (!opened || is_tmpfs_of_its_own(opened.value()) || !test::is_private_to(opened.value(), someone)) return false;
        directory_.write("run/user/12345/a/b/file", "text");
        return open_for(someone, ::getpid()).ok() && std::filesystem::exists(opened.value() + "/a/b/file") &&
               close_for(someone, ::getpid()).ok() && nothing_is_left();
    });
    EXPECT_TRUE(child.succeeds());
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDir, WhatIsUnderTheMountIsRemovedToo)
{
    test::Forked child([this] { return test::drop_capability(CAP_SYS_ADMIN) && open_for(someone, ::getppid()).ok(); });
    ASSERT_TRUE(child.succeeds());
    directory_.write("run/user/12345/a/b/file", "text");
    ASSERT_EQ(::mount("tmpfs", (dirs_.base + "/user/12345").c_str(), "tmpfs", 0, nullptr), 0);
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDir, TheUmaskOfTheHostDoesNotMatter)
{
    for (const mode_t mask : {0777U, 0000U}) {
        const mode_t before = ::umask(mask);
        const auto opened = open_for(someone, ::getpid());
        EXPECT_EQ(::umask(before), mask);
        ASSERT_TRUE(opened) << opened.error().context;
        EXPECT_TRUE(test::is_private_to(opened.value(), someone));
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

TEST_F(RuntimeDir, ClosingWhatWasNeverOpenedMakesNothing)
{
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_FALSE(std::filesystem::exists(dirs_.base));
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(test::is_private_to(dirs_.base + "/user/" + std::to_string(other), other));
}

TEST_F(RuntimeDir, SeenFromAnotherMountNamespaceItIsNotLost)
{
    // A session that has joined its job's namespace before: its mount is not seen here.
    test::Ready ready;
    test::Forked inside(
        [&] { return ::unshare(CLONE_NEWNS) == 0 && open_for(someone, ::getpid()).ok() && ready.tell() && ::pause() == 0; });
    ASSERT_TRUE(ready.wait());
    const auto opened = open_for(someone, ::getpid());
    ASSERT_TRUE(opened) << opened.error().context;
    EXPECT_TRUE(test::is_private_to(opened.value(), someone));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(close_for(someone, inside.pid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDir, TwentyAtOnce)
{
    std::vector<test::Forked> children;
    for (int i = 0; i < 20; ++i) {
        children.emplace_back([this, i] {
            const uid_t uid = i % 4 == 0 ? other : someone;
            const std::string own = '/' + std::to_string(::getpid());
            for (int round = 0; round < 50; ++round) {
                const auto opened = open_for(uid, ::getpid());
                if (!opened || !test::is_private_to(opened.value(), uid)) return false;
                const std::string file = opened.value() + own;
                const Fd made(::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600));
                (void)::usleep(static_cast<useconds_t>((::getpid() + round) % 7) * 100);
                // Gone if somebody has removed the directory, or mounted on it, under a session that lives.
                if (!made || ::unlink(file.c_str()) != 0) return false;
                if (!close_for(uid, ::getpid())) return false;
            }
            return true;
        });
    }
    for (auto& child : children) EXPECT_TRUE(child.succeeds());
    EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace slurm_adopt
