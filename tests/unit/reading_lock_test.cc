// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/reading_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "support/forked.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using test::Forked;
using test::Ready;
using test::TempDirectory;

constexpr uid_t someone = 12345;
constexpr uid_t highest = 4294967294U;

class ReadingLock : public testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "these tests need root"; }
    [[nodiscard]] std::string base() const { return directory_ / "slurm-adopt"; }
    [[nodiscard]] Fd open(const char* kind = home_readings) const { return open_reading_locks(kind, base()); }

    const TempDirectory directory_;
};

TEST_F(ReadingLock, IsEachUsersOwnAndOfEachKind)
{
    Fd first = open();
    const Fd second = open();
    const Fd other_kind = open(environ_readings);
    ASSERT_TRUE(first && second && other_kind);
    EXPECT_FALSE(has_hanging_reading(second, someone));
    mark_hanging_reading(first, someone);
    mark_hanging_reading(second, someone);  // two that begin to hang at once
    EXPECT_TRUE(has_hanging_reading(second, someone));
    for (const uid_t uid : {uid_t{0}, someone - 1, someone + 1, highest}) EXPECT_FALSE(has_hanging_reading(second, uid)) << uid;
    mark_hanging_reading(first, highest);
    EXPECT_TRUE(has_hanging_reading(second, highest));
    EXPECT_FALSE(has_hanging_reading(other_kind, someone));
    first.reset();
    EXPECT_FALSE(has_hanging_reading(second, someone));
    EXPECT_FALSE(has_hanging_reading(second, highest));
}

TEST_F(ReadingLock, IsTheChildsAsLongAsItLives)
{
    Fd parents = open();
    Ready ready;
    Forked child([&] { return ready.tell() && ::pause() == 0; });
    ASSERT_TRUE(ready.wait());
    mark_hanging_reading(parents, someone);
    parents.reset();
    const Fd other = open();
    EXPECT_TRUE(has_hanging_reading(other, someone));
    child.kill();
    EXPECT_FALSE(has_hanging_reading(other, someone));
}

TEST_F(ReadingLock, NobodyButRootCanHaveIt)
{
    const mode_t mask = ::umask(0);
    const Fd locks = open();
    (void)::umask(mask);
    struct stat status {};
    ASSERT_EQ(::fstat(locks.get(), &status), 0);
    EXPECT_TRUE(S_ISREG(status.st_mode));
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(status.st_uid, 0U);
    EXPECT_EQ(::fcntl(locks.get(), F_GETFD), FD_CLOEXEC);
    ASSERT_EQ(::stat(base().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0755U);
}

TEST_F(ReadingLock, WhatIsNotRootsAloneIsNone)
{
    const std::string file = base() + '/' + home_readings;
    const auto fresh = [&] {
        std::filesystem::remove_all(base());
        ASSERT_TRUE(open());
    };
    const std::vector<std::pair<const char*, std::function<void()>>> cases = {
        {"readable by others", [&] { EXPECT_EQ(::chmod(file.c_str(), 0604), 0); }},
        {"writable by a group", [&] { EXPECT_EQ(::chmod(file.c_str(), 0620), 0); }},
        {"somebody else's", [&] { EXPECT_EQ(::chown(file.c_str(), someone, 0), 0); }},
        {"a symbolic link", [&] { std::filesystem::rename(file, base() + "/real"), std::filesystem::create_symlink("real", file); }},
        {"a directory", [&] { std::filesystem::remove(file), std::filesystem::create_directory(file); }},
        {"a fifo", [&] { std::filesystem::remove(file); EXPECT_EQ(::mkfifo(file.c_str(), 0600), 0); }},
        {"in a directory that others may write to", [&] { EXPECT_EQ(::chmod(base().c_str(), 0777), 0); }},
        {"in somebody else's directory", [&] { EXPECT_EQ(::chown(base().c_str(), someone, 0), 0); }},
    };
    for (const auto& [what, prepare] : cases) {
        fresh();
        prepare();
        EXPECT_FALSE(open()) << what;
    }
    EXPECT_FALSE(open_reading_locks(home_readings, directory_ / "no/where"));
    // And who has none reads without.
    mark_hanging_reading(Fd(), someone);
    EXPECT_FALSE(has_hanging_reading(Fd(), someone));
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    mark_hanging_reading(null, someone);
    EXPECT_FALSE(has_hanging_reading(null, someone)) << "one that cannot be locked";
}

}  // namespace
}  // namespace slurm_adopt
