// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions and calls that were killed before their end.
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "slurm_adopt/session_registry.h"
#include "support/capabilities.h"
#include "support/forked.h"
#include "support/runtime_dirs.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::other;
using test::someone;

class RuntimeDirKilled : public test::RuntimeDirTest {};

TEST_F(RuntimeDirKilled, KilledSessionsAreSweptAtTheNextLoginOfAnybody)
{
    test::Forked killed([] { return ::pause() == 0; });
    test::Forked zombie([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, killed.pid()));
    ASSERT_TRUE(open_for(someone, zombie.pid()));
    directory_.write("run/user/12345/a/file", "text");
    killed.kill();
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(is_there("/user/12345/a/file")) << "one of the two still lives";
    zombie.make_zombie();
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_FALSE(is_there("/user/12345"));
    EXPECT_FALSE(is_there("/sessions/12345"));
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirKilled, ANewSessionOfTheSameUserFindsNothingOfAKilledOne)
{
    test::Forked killed([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, killed.pid()));
    directory_.write("run/user/12345/file", "text");
    killed.kill();
    ASSERT_TRUE(open_for(someone, ::getpid()));
    EXPECT_FALSE(is_there("/user/12345/file"));
    EXPECT_TRUE(test::is_private_to(own_directory(someone), someone));
    EXPECT_TRUE(close_for(someone, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirKilled, AReusedPidIsAnotherSession)
{
    ASSERT_TRUE(open_for(someone, ::getpid()));
    const std::string sessions = dirs_.base + "/sessions/12345/";
    const std::string key = *session_key("/proc", "self").value();
    // As if a process with our number had registered and been killed before we began.
    ASSERT_EQ(::rename((sessions + key).c_str(), (sessions + std::to_string(::getpid()) + ".17").c_str()), 0);
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_FALSE(is_there("/user/12345"));
    EXPECT_FALSE(is_there("/sessions/12345"));
}

TEST_F(RuntimeDirKilled, AKilledCloseOrOpenIsCompletedByTheNext)
{
    ASSERT_TRUE(open_for(other, ::getpid()));
    // What each leaves if it is killed between two of its steps.
    directory_.make_directory("run/sessions/12345");
    directory_.make_directory("run/user/12347");
    directory_.write("run/user/12348/file", "");
    directory_.write("run/trash/1/a/file", "");
    ASSERT_EQ(::mount("tmpfs", directory_.make_directory("run/user/12349").c_str(), "tmpfs", 0, nullptr), 0);
    directory_.write("run/user/12349/file", "");
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(std::filesystem::is_empty(dirs_.base + "/trash"));
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirKilled, WhatCannotBeTakenAwayIsAnError)
{
    test::Forked session([] { return ::pause() == 0; });
    ASSERT_TRUE(open_for(someone, session.pid()));
    session.kill();
    test::Forked without_mounts([this] {
        // The mount stays: nobody is given what another has left, and nobody else is harmed.
        if (!test::drop_capability(CAP_SYS_ADMIN)) return false;
        const auto opened = open_for(someone, ::getpid());
        const auto closed = close_for(someone, ::getpid());
        return !opened && opened.error().errno_value == EBUSY && !closed && closed.error().errno_value == EBUSY &&
               open_for(other, ::getpid()).ok() && close_for(other, ::getpid()).ok();
    });
    EXPECT_TRUE(without_mounts.succeeds());
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(RuntimeDirKilled, KilledAnywhereLeavesNothingAndHarmsNobody)
{
    const auto living = open_for(other, ::getpid());
    ASSERT_TRUE(living);
    directory_.write("run/user/12346/file", "text");
    for (int round = 0; round < 200; ++round) {
        test::Forked killed([this] {
            while (open_for(someone, ::getpid()).ok() && close_for(someone, ::getpid()).ok()) {
            }
            return false;
        });
        (void)::usleep(static_cast<useconds_t>(300 + round * 7));
        killed.kill();
        if (round % 2 != 0) continue;
        const auto opened = open_for(someone, ::getpid(), Deadline::after(10s));
        ASSERT_TRUE(opened) << opened.error().context;
        ASSERT_TRUE(test::is_private_to(opened.value().path, someone));
        ASSERT_TRUE(close_for(someone, ::getpid()));
    }
    EXPECT_TRUE(std::filesystem::exists(living.value().path + "/file"));
    ASSERT_TRUE(open_for(other, ::getpid()));
    EXPECT_TRUE(close_for(other, ::getpid()));
    EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace slurm_adopt
