// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/session_registry.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <filesystem>

#include "slurm_adopt/fd.h"
#include "support/failing_call.h"
#include "support/forked.h"
#include "support/locked_process.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

std::string stat_text(const std::string& name, char state, const std::string& start_time)
{
    return "4711 (" + name + ") " + state + " 1 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " + start_time +
           " 100 200 18446744073709551615 0\n";
}

TEST(SessionKey, IsPidAndStartTimeWhateverTheProcessIsCalled)
{
    for (const char* name : {"sshd", "a b", "x) Z 1 2 3", ") ", "((", ")", "", "S 1 (2) R"}) {
        const auto key = parse_session_key(stat_text(name, 'S', "987654"));
        ASSERT_TRUE(key) << name;
        EXPECT_EQ(key.value(), "4711.987654") << name;
    }
    EXPECT_EQ(parse_session_key(stat_text("sshd", 'R', "18446744073709551615")).value(), "4711.18446744073709551615");
}

TEST(SessionKey, ADeadProcessHasNone)
{
    for (const char state : {'Z', 'X'}) {
        const auto key = parse_session_key(stat_text("sshd", state, "1"));
        ASSERT_TRUE(key);
        EXPECT_FALSE(key.value()) << state;
    }
    test::Forked child([] { return ::pause() == 0; });
    EXPECT_TRUE(session_key("/proc", std::to_string(child.pid())).value());
    child.make_zombie();
    EXPECT_FALSE(session_key("/proc", std::to_string(child.pid())).value());
    const std::string pid = std::to_string(child.pid());
    child.kill();
    EXPECT_FALSE(session_key("/proc", pid).value());
}

// Sessions are root's. The stat of a user's process may not be there to read for as long as the user likes.
TEST(SessionKey, AUsersProcessHasNone)
{
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const test::LockedProcess locked([] { return ::setresuid(12345, 12345, 12345) == 0; });
    ASSERT_TRUE(locked.is_locked());
    (void)::alarm(20);  // dead of it, not hung
    const auto key = session_key("/proc", std::to_string(locked.pid()));
    ASSERT_TRUE(key);
    EXPECT_FALSE(key.value());
    // One that has its number lives in doubt, if it is that user's.
    const test::TempDirectory directory;
    const Fd sessions(::open(directory.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (const char* user : {"12345", "12346"})
        ASSERT_TRUE(register_session(sessions.get(), user, std::to_string(locked.pid()) + ".1").ok());
    EXPECT_TRUE(has_living_session(sessions.get(), "12345", "/proc"));
    EXPECT_FALSE(has_living_session(sessions.get(), "12346", "/proc"));
    (void)::alarm(0);
}

TEST(SessionKey, TextThatDoesNotParseIsAnError)
{
    const std::string good = stat_text("sshd", 'S', "987654");
    for (std::size_t length = 0; length < good.find("987654"); ++length)
        EXPECT_FALSE(parse_session_key(good.substr(0, length))) << length;
    EXPECT_FALSE(parse_session_key(stat_text("sshd", 'S', "-1")));
    EXPECT_FALSE(parse_session_key(stat_text("sshd", 'S', "18446744073709551616")));
    EXPECT_FALSE(parse_session_key("x" + good));
}

TEST(SessionKey, OfThisProcess)
{
    ASSERT_EQ(::prctl(PR_SET_NAME, "a) Z b"), 0);
    const auto self = session_key("/proc", "self");
    const auto by_number = session_key("/proc", std::to_string(::getpid()));
    ASSERT_TRUE(self && by_number);
    ASSERT_TRUE(self.value());
    EXPECT_EQ(self.value(), by_number.value());
    EXPECT_TRUE(self.value()->starts_with(std::to_string(::getpid()) + '.'));
}

TEST(SessionKey, HasAPid)
{
    EXPECT_EQ(session_pid("4711.987654"), 4711U);
    EXPECT_EQ(session_pid("4294967295.18446744073709551615"), 4294967295U);
    for (const char* text : {"", ".", "1", "1.", ".1", "..", "1.1.1", "1.1/", "/1.1", "1. 1", "x.1", "1.x", "4294967296.1",
                             "1.18446744073709551616"})
        EXPECT_FALSE(session_pid(text)) << text;
}

class Registry : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    }
    [[nodiscard]] std::size_t count() const
    {
        const std::filesystem::directory_iterator entries(sessions_ / "1000");
        return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
    }
    [[nodiscard]] bool drop(const std::string& proc = "/proc") const
    {
        return drop_ended_sessions(descriptor_.get(), "1000", proc);
    }

    const test::TempDirectory sessions_;
    const Fd descriptor_{::open(sessions_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const std::string own_ = *session_key("/proc", "self").value();
};

TEST_F(Registry, RegisteredTwiceIsOne)
{
    EXPECT_TRUE(register_session(descriptor_.get(), "1000", own_).value());
    EXPECT_FALSE(register_session(descriptor_.get(), "1000", own_).value()) << "says that it was there";
    EXPECT_EQ(count(), 1U);
    EXPECT_TRUE(drop());
    EXPECT_EQ(count(), 1U);
    unregister_session(descriptor_.get(), "1000", "1.1");
    EXPECT_EQ(count(), 1U);
    unregister_session(descriptor_.get(), "1000", own_);
    EXPECT_EQ(count(), 0U);
    EXPECT_FALSE(drop());
    unregister_session(descriptor_.get(), "none", own_);
}

TEST_F(Registry, EndedSessionsAreDroppedAndLivingOnesStay)
{
    EXPECT_FALSE(drop()) << "nobody was ever there";
    const std::string pid = std::to_string(::getpid());
    for (const std::string& ended : {pid + ".1", pid + ".", pid, own_ + "0", std::string("4194305.1"), std::string("0.1"),
                                     std::string("garbage"), std::string(".swp")})
        sessions_.write("1000/" + ended, "");
    EXPECT_FALSE(drop());
    EXPECT_EQ(count(), 0U);
    sessions_.write("1000/" + pid + ".1", "");
    EXPECT_TRUE(register_session(descriptor_.get(), "1000", own_));
    EXPECT_TRUE(drop()) << "the number has been used before, but this one lives";
    EXPECT_EQ(count(), 1U);
}

TEST_F(Registry, InDoubtASessionLives)
{
    EXPECT_TRUE(register_session(descriptor_.get(), "1000", own_));
    const test::TempDirectory proc;
    proc.write(std::to_string(::getpid()) + "/stat", "garbage");
    EXPECT_TRUE(drop(proc.path()));
    EXPECT_EQ(count(), 1U);
}

TEST_F(Registry, InDoubtThereAreSessions)
{
    sessions_.write("1000/4194305.1", "");
    test::Forked child([this] {
        // The directory opens, but cannot be read.
        return test::let_call_fail(SYS_getdents64, EIO) && drop() && has_sessions(descriptor_.get(), "1000") &&
               has_living_session(descriptor_.get(), "1000", "/proc");
    });
    EXPECT_TRUE(child.succeeds());
    EXPECT_EQ(count(), 1U);
    EXPECT_FALSE(drop());
}

TEST_F(Registry, LookingChangesNothing)
{
    EXPECT_FALSE(has_sessions(descriptor_.get(), "1000")) << "nobody was ever there";
    EXPECT_FALSE(has_living_session(descriptor_.get(), "1000", "/proc"));
    sessions_.write("1000/4194305.1", "");
    EXPECT_TRUE(has_sessions(descriptor_.get(), "1000")) << "ended or not";
    EXPECT_FALSE(has_living_session(descriptor_.get(), "1000", "/proc"));
    EXPECT_EQ(count(), 1U);
    EXPECT_TRUE(register_session(descriptor_.get(), "1000", own_));
    EXPECT_TRUE(has_living_session(descriptor_.get(), "1000", "/proc"));
    EXPECT_EQ(count(), 2U);
    EXPECT_FALSE(drop_ended_sessions(descriptor_.get(), "1000", "/nonexistent"));
    EXPECT_FALSE(has_sessions(descriptor_.get(), "1000"));
}

TEST_F(Registry, LinksAndFilesHoldNoSessions)
{
    const test::TempDirectory elsewhere;
    elsewhere.write("4194305.1", "");
    ASSERT_EQ(::symlink(elsewhere.path().c_str(), (sessions_ / "1000").c_str()), 0);
    EXPECT_FALSE(drop());
    EXPECT_FALSE(register_session(descriptor_.get(), "1000", own_));
    unregister_session(descriptor_.get(), "1000", "4194305.1");
    EXPECT_TRUE(std::filesystem::exists(elsewhere / "4194305.1"));
    EXPECT_FALSE(std::filesystem::exists(elsewhere / own_));
    ASSERT_EQ(::unlink((sessions_ / "1000").c_str()), 0);
    sessions_.write("1000", "");
    EXPECT_FALSE(drop());
}

}  // namespace
}  // namespace slurm_adopt
