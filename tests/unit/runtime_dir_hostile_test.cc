// SPDX-License-Identifier: GPL-2.0-or-later
// Planted links, foreign directories, users that work against it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <vector>

#include "slurm_adopt/fd.h"
#include "support/failing_call.h"
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
    EXPECT_TRUE(test::is_private_to(opened.value().path, someone));
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

TEST_F(RuntimeDirHostile, WithAnotherProcNoSessionIsTakenForEnded)
{
    const std::string own = key_of(::getpid());
    const auto stat = [](pid_t pid, const std::string& start_time) {
        return std::to_string(pid) + " (sshd) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " + start_time + " 1 2 3\n";
    };
    const std::string empty = directory_.make_directory("empty");
    // Another process is "self" there: another pid namespace's, with us in it or not.
    directory_.write("another/self/stat", stat(::getpid() + 1, "17"));
    directory_.write("another/" + std::to_string(::getpid()) + "/stat", stat(::getpid(), own.substr(own.find('.') + 1)));
    // Our number is the same there, by chance, but the key was taken elsewhere.
    directory_.write("alike/self/stat", stat(::getpid(), "17"));
    directory_.write("alike/" + std::to_string(::getpid()) + "/stat", stat(::getpid(), "17"));
    directory_.write("garbage/self/stat", "garbage");

    test::Forked session([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, session.pid()));
    directory_.write("run/user/12345/file", "text");
    for (const std::string& proc :
         {std::string("/nonexistent"), std::string("/tmp"), empty, *this / "another", *this / "alike", *this / "garbage"}) {
        const RuntimeDirs blind{.base = dirs_.base, .proc = proc};
        const auto opened = open_runtime_dir(blind, other, other, own, Deadline::after(10s));
        ASSERT_TRUE(opened) << proc << ": " << opened.error().context;
        EXPECT_TRUE(test::is_private_to(own_directory(other), other)) << proc;
        EXPECT_TRUE(open_runtime_dir(blind, someone, someone, own, Deadline::after(10s))) << proc;
        EXPECT_TRUE(close_runtime_dir(blind, someone, own, Deadline::after(10s))) << proc;
        EXPECT_TRUE(is_there("/user/12345/file")) << proc;
        EXPECT_TRUE(is_there("/sessions/12345/" + key_of(session.pid()))) << proc;
        EXPECT_TRUE(close_runtime_dir(blind, other, own, Deadline::after(10s))) << proc;
        EXPECT_FALSE(is_there("/user/12346")) << proc << ": no registration is left";
        EXPECT_FALSE(is_there("/sessions/12346")) << proc;
    }
    EXPECT_TRUE(close_for(someone, session.pid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirHostile, InAnotherPidNamespaceNothingIsSwept)
{
    test::Forked session([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, session.pid()));
    const std::string own = key_of(::getpid());
    test::Forked outer([&] {
        if (::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) return false;
        const auto call = [&] {
            return open_runtime_dir(dirs_, other, other, own, Deadline::after(10s)).ok() &&
                   close_runtime_dir(dirs_, other, own, Deadline::after(10s)).ok() && is_there("/sessions/12345") &&
                   test::is_private_to(own_directory(someone), someone);
        };
        // The first in the namespace mounts its /proc; we, who are not in it, are not to be seen there then.
        test::Forked first([&] { return ::mount("proc", "/proc", "proc", 0, nullptr) == 0 && call(); });
        return first.succeeds() && ::access("/proc/self", F_OK) != 0 && call();
    });
    EXPECT_TRUE(outer.succeeds());
    EXPECT_TRUE(close_for(someone, session.pid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirHostile, NoSessionWithoutAKey)
{
    for (const char* key : {"", ".", "..", "../1.1", "1", "1.", ".1", "1.1/x", "1.1.1", "-1.1", "1.-1", "4294967296.1"}) {
        const auto opened = open_runtime_dir(dirs_, someone, someone, key, Deadline::after(10s));
        ASSERT_FALSE(opened) << key;
        EXPECT_EQ(opened.error().errno_value, EINVAL) << key;
        EXPECT_FALSE(close_runtime_dir(dirs_, someone, key, Deadline::after(10s))) << key;
    }
    const std::string key = key_of(::getpid());
    EXPECT_FALSE(open_runtime_dir(dirs_, static_cast<uid_t>(-1), 0, key, Deadline::after(10s)));
    EXPECT_FALSE(open_runtime_dir(dirs_, someone, static_cast<gid_t>(-1), key, Deadline::after(10s)));
    EXPECT_FALSE(std::filesystem::exists(dirs_.base));
    test::Forked child([] { return true; });
    const pid_t gone = child.pid();
    EXPECT_TRUE(child.succeeds());
    EXPECT_TRUE(close_for(someone, gone));
}

TEST_F(RuntimeDirHostile, AMountThatFailsIsAnErrorUnlessItIsNotPermitted)
{
    for (const int error : {EPERM, EACCES, ENOSPC, ENOMEM, ENODEV, EINVAL}) {
        const bool permitted = error != EPERM && error != EACCES;
        test::Forked child([&] {
            if (!test::let_call_fail(SYS_mount, error)) return false;
            const auto opened = open_for(someone, ::getpid());
            if (permitted) return !opened && opened.error().errno_value == error && nothing_is_left();
            return opened.ok() && !opened.value().limited && test::is_private_to(opened.value().path, someone) &&
                   close_for(someone, ::getpid()).ok();
        });
        EXPECT_TRUE(child.succeeds()) << error;
        EXPECT_TRUE(nothing_is_left()) << error;
    }
}

TEST_F(RuntimeDirHostile, ASecondOpenThatFailsLeavesTheFirstRegistered)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    // Nobody's: a failure that does not last.
    ASSERT_EQ(::chown(own_directory(someone).c_str(), other, other), 0);
    EXPECT_FALSE(open_for(someone, ::getpid()));
    ASSERT_EQ(::chown(own_directory(someone).c_str(), someone, someone), 0);
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(is_there("/sessions/12345/" + key_of(::getpid())));
    EXPECT_TRUE(test::is_private_to(own_directory(someone), someone)) << "not swept: the first is a session still";
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirHostile, TrashWithoutAnEndHoldsNobodyUpForLong)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    test::Ready ready;
    test::Forked littering([&] {
        for (unsigned i = 0;; ++i) {
            const std::string item = dirs_.base + "/trash/" + std::to_string(i % 5000);
            (void)(::mkdir(item.c_str(), 0700) == 0 && ::mkdir((item + "/below").c_str(), 0700) == 0);
            if (i == 5000 && !ready.tell()) return false;
        }
    });
    ASSERT_TRUE(ready.wait());
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(open_for(other, ::getpid(), Deadline::after(10s)));
    const auto middle = std::chrono::steady_clock::now();
    EXPECT_TRUE(close_for(other, ::getpid(), Deadline::after(10s)));
    const auto end = std::chrono::steady_clock::now();
    EXPECT_LT(middle - begin, 3s);
    EXPECT_LT(end - middle, 3s);
    littering.kill();
    EXPECT_TRUE(close_for(someone, ::getpid()));
}

TEST_F(RuntimeDirHostile, AnEmptyBaseIsNoPlace)
{
    const RuntimeDirs nowhere{.base = *this / "none/run"};
    const auto opened = open_runtime_dir(nowhere, someone, someone, key_of(::getpid()), Deadline::after(10s));
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
