// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <set>

#include "support/descriptors.h"
#include "support/failing_call.h"
#include "support/forked.h"
#include "support/private_mounts.h"

namespace slurm_adopt {
namespace {

class OwnDirectory : public test::PrivateMounts {
protected:
    [[nodiscard]] Fd here() const { return Fd(::open(path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); }
};

mode_t mode_of(const std::string& path)
{
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

TEST_F(OwnDirectory, IsMadeWithItsModeWhateverTheUmask)
{
    for (const mode_t mask : {0000U, 0077U, 0777U}) {
        const mode_t before = ::umask(mask);
        const auto made = make_own_directory(here().get(), "made", 0755);
        EXPECT_EQ(::umask(before), mask) << "the umask is the host's";
        ASSERT_TRUE(made) << made.error().context;
        EXPECT_TRUE(test::is_close_on_exec(made.value().get()));
        EXPECT_EQ(mode_of(*this / "made"), 0755U);
        ASSERT_EQ(::rmdir((*this / "made").c_str()), 0);
    }
}

TEST_F(OwnDirectory, HalfMadeIsPutRight)
{
    ASSERT_EQ(::mkdir((*this / "made").c_str(), 0), 0);
    EXPECT_TRUE(make_own_directory(here().get(), "made", 0700));
    EXPECT_EQ(mode_of(*this / "made"), 0700U);
    ASSERT_EQ(::chmod((*this / "made").c_str(), 0755), 0);
    EXPECT_TRUE(open_own_directory(here().get(), "made", 0700));
    EXPECT_EQ(mode_of(*this / "made"), 0700U);
}

TEST_F(OwnDirectory, MissingIsNotMadeByOpening)
{
    const auto opened = open_own_directory(here().get(), "none", 0755);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().errno_value, ENOENT);
}

TEST_F(OwnDirectory, WhatOthersCouldHaveMadeIsRefused)
{
    ASSERT_EQ(::mkdir((*this / "target").c_str(), 0700), 0);
    const auto refused = [this](const char* name, const char* why) {
        for (auto* function : {&open_own_directory, &make_own_directory}) {
            const auto opened = function(here().get(), name, 0755);
            ASSERT_FALSE(opened) << name;
            EXPECT_EQ(opened.error().code, ErrorCode::untrusted) << name;
            EXPECT_EQ(opened.error().context, std::string(name) + ": " + why);
        }
    };
    ASSERT_EQ(::symlink((*this / "target").c_str(), (*this / "link").c_str()), 0);
    refused("link", "not a directory");
    ASSERT_EQ(::symlink("/none", (*this / "dangling").c_str()), 0);
    refused("dangling", "not a directory");
    directory_.write("file", "");
    refused("file", "not a directory");
    ASSERT_EQ(::mkdir((*this / "users").c_str(), 0755), 0);
    ASSERT_EQ(::chown((*this / "users").c_str(), 12345, 0), 0);
    refused("users", "not owned by root");
    for (const mode_t mode : {0775U, 0757U, 01777U}) {
        ASSERT_EQ(::mkdir((*this / "open").c_str(), 0755), 0);
        ASSERT_EQ(::chmod((*this / "open").c_str(), mode), 0);
        refused("open", "writable by others than root");
        EXPECT_EQ(mode_of(*this / "open"), mode) << "and not put right: it may have been used";
        ASSERT_EQ(::rmdir((*this / "open").c_str()), 0);
    }
    EXPECT_EQ(mode_of(*this / "target"), 0700U);
}

TEST_F(OwnDirectory, ListingHasEveryNameOnce)
{
    const auto before = test::open_descriptors();
    {
        std::multiset<std::string> expected;
        for (int i = 0; i < 3000; ++i) expected.insert(std::to_string(i));
        for (const std::string& name : expected) directory_.write("d/" + name, "");
        const Fd parent = here();
        Listing listing(parent.get(), "d");
        ASSERT_TRUE(listing);
        for (int round = 0; round < 2; ++round, listing.rewind()) {
            std::multiset<std::string> names;
            while (const char* name = listing.next()) names.insert(name);
            EXPECT_EQ(names, expected);
        }
        EXPECT_TRUE(test::is_close_on_exec(listing.descriptor()));
    }
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(OwnDirectory, ListingTellsTheEndFromAFailure)
{
    directory_.write("d/file", "");
    const Fd parent = here();
    Listing whole(parent.get(), "d");
    ASSERT_TRUE(whole);
    errno = EIO;
    EXPECT_STREQ(whole.next(), "file");
    EXPECT_EQ(whole.next(), nullptr);
    EXPECT_FALSE(whole.failed());
    test::Forked child([&] {
        Listing unreadable(parent.get(), "d");
        return unreadable && !unreadable.failed() && test::let_call_fail(SYS_getdents64, EIO) &&
               unreadable.next() == nullptr && unreadable.failed();
    });
    EXPECT_TRUE(child.succeeds());
}

TEST_F(OwnDirectory, ListingFollowsNeitherLinksNorMounts)
{
    const auto before = test::open_descriptors();
    directory_.make_directory("target");
    directory_.make_directory("mounted");
    ASSERT_EQ(::symlink("target", (*this / "link").c_str()), 0);
    ASSERT_EQ(::mount("tmpfs", (*this / "mounted").c_str(), "tmpfs", 0, nullptr), 0);
    EXPECT_TRUE(Listing(here().get(), "target"));
    EXPECT_FALSE(Listing(here().get(), "link"));
    EXPECT_FALSE(Listing(here().get(), "none"));
    EXPECT_FALSE(Listing(here().get(), "mounted"));
    EXPECT_EQ(errno, EXDEV);
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(OwnDirectory, ListingTellsMountsOfTheSameFileSystem)
{
#ifdef SYS_openat2
    if (::syscall(SYS_openat2, -1, nullptr, nullptr, 0) != 0 && errno == ENOSYS) GTEST_SKIP() << "a kernel before 5.6";
    directory_.make_directory("target");
    directory_.make_directory("mounted");
    ASSERT_EQ(::mount((*this / "target").c_str(), (*this / "mounted").c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_FALSE(Listing(here().get(), "mounted"));
#endif
}

}  // namespace
}  // namespace slurm_adopt
