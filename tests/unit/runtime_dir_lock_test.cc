// SPDX-License-Identifier: GPL-2.0-or-later
// The lock of each user: nobody waits for another user, and nobody for long.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "slurm_adopt/fd.h"
#include "support/forked.h"
#include "support/runtime_dirs.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::other;
using test::someone;

class RuntimeDirLock : public test::RuntimeDirTest {};

TEST_F(RuntimeDirLock, AHeldLockOfTheUsersIsAnErrorAtTheDeadlineOrAfterASecond)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    test::Forked session([] { return ::pause() == 0; });
    const Fd held(::open((dirs_.base + "/sessions/12345").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(held.get(), LOCK_SH), 0);
    for (const auto patience : {0ms, 100ms, 60000ms}) {
        const auto begin = std::chrono::steady_clock::now();
        const auto opened = open_for(someone, session.pid(), Deadline::after(patience));
        const auto middle = std::chrono::steady_clock::now();
        const auto closed = close_for(someone, session.pid(), Deadline::after(patience));
        const auto end = std::chrono::steady_clock::now();
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::timed_out);
        ASSERT_FALSE(closed);
        EXPECT_EQ(closed.error().code, ErrorCode::timed_out);
        for (const auto took : {middle - begin, end - middle}) {
            EXPECT_GE(took, std::min(patience, 1000ms));
            EXPECT_LT(took, std::min(patience, 1000ms) + 1s);
        }
    }
    EXPECT_FALSE(is_there("/sessions/12345/" + key_of(session.pid())));
    EXPECT_TRUE(is_there("/user/12345"));
    ASSERT_EQ(::flock(held.get(), LOCK_UN), 0);
    EXPECT_TRUE(close_for(someone, ::getpid(), Deadline::after(0ms))) << "a free lock needs no patience";
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirLock, AClosedSessionIsUnregisteredEvenIfTheLockIsHeld)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    {
        const Fd held(::open((dirs_.base + "/sessions/12345").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
        EXPECT_FALSE(close_for(someone, ::getpid(), Deadline::after(0ms)));
    }
    EXPECT_TRUE(is_there("/user/12345"));
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_FALSE(is_there("/user/12345")) << "although the process lives on";
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirLock, HeldLocksOfOthersDelayNobody)
{
    // One with a session, one without, and one with a leftover: all held by setuid programs that their users have stopped.
    ASSERT_TRUE(open_for(someone, ::getpid()));
    directory_.make_directory("run/sessions/12347");
    directory_.make_directory("run/sessions/12348");
    directory_.make_directory("run/user/12348");
    std::vector<Fd> held;
    for (const char* name : {"12345", "12347", "12348"}) {
        held.emplace_back(::open((dirs_.base + "/sessions/" + name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ASSERT_EQ(::flock(held.back().get(), LOCK_EX), 0);
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 500ms);
    EXPECT_TRUE(is_there("/sessions/12347"));
    EXPECT_TRUE(is_there("/user/12348")) << "removed only under the lock";
    held.clear();
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirLock, ALockThatWasTakenAwayMeanwhileIsNone)
{
    directory_.make_directory("run/sessions/12345");
    for (const char* name : {"", "/sessions", "/sessions/12345"}) ASSERT_EQ(::chmod((dirs_.base + name).c_str(), 0700), 0);
    const Fd held(::open((dirs_.base + "/sessions/12345").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    test::Forked waiting([this] {
        const auto opened = open_for(someone, ::getpid(), Deadline::after(700ms));
        return !opened && opened.error().code == ErrorCode::timed_out && !is_there("/user/12345");
    });
    (void)::usleep(200'000);
    // The holder has closed the last session, and another has opened one and holds the new lock.
    const std::string sessions = dirs_.base + "/sessions/12345";
    ASSERT_EQ(::mkdir((sessions + ".new").c_str(), 0700), 0);
    const Fd anew(::open((sessions + ".new").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(anew.get(), LOCK_EX), 0);
    ASSERT_EQ(::rename((sessions + ".new").c_str(), sessions.c_str()), 0);
    ASSERT_EQ(::flock(held.get(), LOCK_UN), 0);
    EXPECT_TRUE(waiting.succeeds()) << "both are not to be held at once";
    EXPECT_FALSE(is_there("/user/12345"));
    ASSERT_EQ(::flock(anew.get(), LOCK_UN), 0);
    EXPECT_TRUE(open_for(someone, ::getpid()));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirLock, TheLockOfAUserWhoIsLoggedInIsNotTakenByOthers)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    directory_.write("run/sessions/12345/4194305.1", "");
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(is_there("/sessions/12345/4194305.1")) << "what has ended is dropped only under the lock";
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirLock, WhoCanBeStoppedTakesNoLockOfOthers)
{
    test::Forked killed([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, killed.pid()));
    killed.kill();
    for (const auto& [real, saved] : {std::pair<uid_t, uid_t>{other, 0}, {0, other}}) {
        test::Forked su([this, real = real, saved = saved] {
            return ::setresuid(real, 0, saved) == 0 && open_for(other, ::getpid()).ok() && close_for(other, ::getpid()).ok();
        });
        EXPECT_TRUE(su.succeeds());
        EXPECT_TRUE(is_there("/user/12345"));
        EXPECT_FALSE(is_there("/user/12346"));
    }
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirLock, NobodyElseCanHoldTheLock)
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

// As in a job's mount namespace whose /proc is that of the job's pid namespace.

}  // namespace
}  // namespace slurm_adopt
