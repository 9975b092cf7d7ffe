// SPDX-License-Identifier: GPL-2.0-or-later
// Planted links, held locks, users that work against it.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "slurm_adopt/fd.h"
#include "support/forked.h"
#include "support/runtime_dirs.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::other;
using test::someone;

class RuntimeDirHostile : public test::RuntimeDirTest {};

TEST_F(RuntimeDirHostile, LinksInThePlaceOfOurDirectoriesAreRefused)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    ASSERT_TRUE(close_for(someone, ::getpid()));
    for (const char* name : {"", "/user", "/sessions", "/trash"}) {
        const std::string place = dirs_.base + name;
        const std::string target = *this / "target";
        ASSERT_EQ(::rename(place.c_str(), target.c_str()), 0);
        ASSERT_EQ(::symlink(target.c_str(), place.c_str()), 0);
        const auto opened = open_for(someone, ::getpid());
        ASSERT_FALSE(opened) << place;
        EXPECT_EQ(opened.error().code, ErrorCode::untrusted) << place;
        EXPECT_NE(opened.error().context.find("not a directory"), std::string::npos) << opened.error().context;
        const auto closed = close_for(someone, ::getpid());
        ASSERT_FALSE(closed) << place;
        EXPECT_EQ(closed.error().code, ErrorCode::untrusted) << place;
        ASSERT_EQ(::unlink(place.c_str()), 0);
        ASSERT_EQ(::rename(target.c_str(), place.c_str()), 0);
        EXPECT_TRUE(nothing_is_left()) << place;
    }
}

TEST_F(RuntimeDirHostile, DirectoriesThatOthersCanWriteToAreRefused)
{
    for (const char* name : {"", "/user", "/sessions", "/trash"}) {
        ASSERT_TRUE(open_for(someone, ::getpid()));
        ASSERT_TRUE(close_for(someone, ::getpid()));
        const std::string place = dirs_.base + name;
        ASSERT_EQ(::chmod(place.c_str(), 0777), 0);
        const auto writable = open_for(someone, ::getpid());
        ASSERT_FALSE(writable) << place;
        EXPECT_EQ(writable.error().code, ErrorCode::untrusted);
        ASSERT_EQ(::chmod(place.c_str(), 0755), 0);
        ASSERT_EQ(::chown(place.c_str(), someone, 0), 0);
        const auto owned = open_for(someone, ::getpid());
        ASSERT_FALSE(owned) << place;
        EXPECT_EQ(owned.error().code, ErrorCode::untrusted);
        ASSERT_EQ(::chown(place.c_str(), 0, 0), 0);
        EXPECT_TRUE(nothing_is_left());
    }
}

TEST_F(RuntimeDirHostile, LinksInThePlaceOfAUsersAreReplacedAndNotFollowed)
{
    ASSERT_TRUE(open_for(other, ::getpid()));
    directory_.write("target/4194305.1", "text");
    for (const std::string name : {"/user/12345", "/sessions/12345", "/user/12350", "/sessions/12350"})
        ASSERT_EQ(::symlink((*this / "target").c_str(), (dirs_.base + name).c_str()), 0);
    const auto opened = open_for(someone, ::getpid());
    ASSERT_TRUE(opened) << opened.error().context;
    EXPECT_TRUE(test::is_private_to(opened.value(), someone));
    EXPECT_FALSE(is_there("/user/12350"));
    EXPECT_FALSE(is_there("/sessions/12350"));
    struct stat status {};
    ASSERT_EQ(::stat((*this / "target").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 0U);
    EXPECT_TRUE(std::filesystem::exists(*this / "target/4194305.1"));
}

TEST_F(RuntimeDirHostile, SomethingElseInThePlaceOfADirectoryInUseIsRefused)
{
    test::Forked session([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, session.pid()));
    ASSERT_EQ(::umount2(own_directory(someone).c_str(), MNT_DETACH), 0);
    ASSERT_EQ(::rmdir(own_directory(someone).c_str()), 0);
    directory_.make_directory("target");
    ASSERT_EQ(::symlink((*this / "target").c_str(), own_directory(someone).c_str()), 0);
    const auto link = open_for(someone, ::getpid());
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::untrusted);
    ASSERT_EQ(::unlink(own_directory(someone).c_str()), 0);
    directory_.make_directory("run/user/12345");
    ASSERT_EQ(::chown(own_directory(someone).c_str(), other, other), 0);
    const auto not_his = open_for(someone, ::getpid());
    ASSERT_FALSE(not_his);
    EXPECT_EQ(not_his.error().code, ErrorCode::untrusted);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dirs_.base + "/sessions/12345"), {}), 1)
        << "who has been given nothing is not registered";
    ASSERT_EQ(::rmdir(own_directory(someone).c_str()), 0);
    EXPECT_TRUE(open_for(someone, ::getpid())) << "gone: made anew";
    EXPECT_TRUE(test::is_private_to(own_directory(someone), someone));
}

TEST_F(RuntimeDirHostile, AHeldLockIsAnErrorAtTheDeadline)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    const Fd held(::open((dirs_.base + "/sessions").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(held.get(), LOCK_SH), 0);
    for (const auto patience : {0ms, 100ms}) {
        const auto begin = std::chrono::steady_clock::now();
        const auto opened = open_for(other, ::getpid(), Deadline::after(patience));
        const auto middle = std::chrono::steady_clock::now();
        const auto closed = close_for(someone, ::getpid(), Deadline::after(patience));
        const auto end = std::chrono::steady_clock::now();
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::timed_out);
        ASSERT_FALSE(closed);
        EXPECT_EQ(closed.error().code, ErrorCode::timed_out);
        for (const auto took : {middle - begin, end - middle}) {
            EXPECT_GE(took, patience);
            EXPECT_LT(took, patience + 1s);
        }
    }
    EXPECT_FALSE(is_there("/sessions/12346"));
    EXPECT_TRUE(is_there("/user/12345"));
    ASSERT_EQ(::flock(held.get(), LOCK_UN), 0);
    EXPECT_TRUE(close_for(someone, ::getpid(), Deadline::after(0ms))) << "a free lock needs no patience";
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirHostile, NobodyElseCanHoldTheLock)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    test::Forked user([this] {
        if (::setgid(someone) != 0 || ::setuid(someone) != 0) return false;
        for (const char* name : {"/sessions", "/sessions/12345", "/trash", "/user/12346"})
            if (::open((dirs_.base + name).c_str(), O_RDONLY) >= 0) return false;
        return ::mkdir((dirs_.base + "/user/x").c_str(), 0700) != 0 && ::rmdir(own_directory(someone).c_str()) != 0 &&
               ::rename(own_directory(someone).c_str(), (dirs_.base + "/user/x").c_str()) != 0;
    });
    EXPECT_TRUE(user.succeeds());
    EXPECT_TRUE(close_for(someone, ::getpid()));
}

TEST_F(RuntimeDirHostile, WithoutProcNoSessionIsTakenForEnded)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    for (const char* proc : {"/nonexistent", "/tmp"}) {
        const RuntimeDirs blind{.base = dirs_.base, .proc = proc};
        EXPECT_FALSE(open_runtime_dir(blind, other, other, ::getpid(), Deadline::after(10s)));
        EXPECT_FALSE(close_runtime_dir(blind, other, ::getpid(), Deadline::after(10s)));
    }
    EXPECT_TRUE(test::is_private_to(own_directory(someone), someone));
    EXPECT_TRUE(is_there("/sessions/12345"));
}

TEST_F(RuntimeDirHostile, NoSessionWithoutAProcess)
{
    test::Forked child([] { return true; });
    const pid_t gone = child.pid();
    EXPECT_TRUE(child.succeeds());
    const auto opened = open_for(someone, gone);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().errno_value, ESRCH);
    EXPECT_TRUE(close_for(someone, gone));
    EXPECT_FALSE(open_runtime_dir(dirs_, static_cast<uid_t>(-1), 0, ::getpid(), Deadline::after(10s)));
    EXPECT_FALSE(open_runtime_dir(dirs_, someone, static_cast<gid_t>(-1), ::getpid(), Deadline::after(10s)));
    EXPECT_FALSE(std::filesystem::exists(dirs_.base));
}

TEST_F(RuntimeDirHostile, AnEmptyBaseIsNoPlace)
{
    const RuntimeDirs nowhere{.base = *this / "none/run"};
    const auto opened = open_runtime_dir(nowhere, someone, someone, ::getpid(), Deadline::after(10s));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().errno_value, ENOENT);
    EXPECT_NE(opened.error().context.find(nowhere.base), std::string::npos) << opened.error().context;
}

TEST_F(RuntimeDirHostile, AUsersOwnFileSystemThatNeverAnswersDoesNotHangOthers)
{
    const Fd fuse(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!fuse) GTEST_SKIP() << "no /dev/fuse here";
    test::Forked session([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, session.pid()));
    const std::string options =
        "fd=" + std::to_string(fuse.get()) + ",rootmode=40700,user_id=12345,group_id=12345,allow_other";
    ASSERT_EQ(::mount("fuse", own_directory(someone).c_str(), "fuse", 0, options.c_str()), 0);
    test::Forked caller([&] {
        (void)::alarm(20);
        (void)open_for(someone, ::getpid()).ok();
        return open_for(other, ::getpid()).ok() && close_for(other, ::getpid()).ok() &&
               close_for(someone, ::getpid()).ok() && close_for(someone, session.pid()).ok();
    });
    EXPECT_TRUE(caller.succeeds());
    EXPECT_FALSE(is_there("/user/12345"));
    EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace slurm_adopt
