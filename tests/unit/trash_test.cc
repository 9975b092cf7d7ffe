// SPDX-License-Identifier: GPL-2.0-or-later
// Trees as users make them, and users that go on while they are removed.
#include "slurm_adopt/trash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "slurm_adopt/fd.h"
#include "support/descriptors.h"
#include "support/forked.h"
#include "support/private_mounts.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

constexpr uid_t someone = 12345;

class Trash : public test::PrivateMounts {
protected:
    void SetUp() override
    {
        PrivateMounts::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        directory_.make_directory("user/1000");
        directory_.make_directory("trash");
        directory_.write("precious/file", "text");
        ASSERT_EQ(::chmod((*this / "trash").c_str(), 0700), 0);
        user_ = Fd(::open((*this / "user").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        trash_ = Fd(::open((*this / "trash").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        before_ = test::open_descriptors();
    }
    void TearDown() override
    {
        if (trash_) {
            EXPECT_TRUE(std::filesystem::exists(*this / "precious/file"));
            EXPECT_EQ(test::open_descriptors(), before_);
        }
        PrivateMounts::TearDown();
    }

    Result<Done> take(const char* name = "1000", Deadline deadline = Deadline::after(10s)) const
    {
        return take_away(user_.get(), name, trash_.get(), deadline);
    }
    void empty(Deadline deadline = Deadline::after(60s)) const { empty_trash(trash_.get(), deadline); }
    [[nodiscard]] bool is_there(const std::string& name = "user/1000") const
    {
        return std::filesystem::exists(std::filesystem::symlink_status(path() + '/' + name));
    }
    [[nodiscard]] bool trash_is_empty() const { return std::filesystem::is_empty(*this / "trash"); }

    Fd user_;
    Fd trash_;
    std::set<int> before_;
};

TEST_F(Trash, WhatIsNotThereIsTakenAway)
{
    EXPECT_TRUE(take("none"));
    EXPECT_TRUE(take());
    EXPECT_FALSE(is_there());
    EXPECT_TRUE(trash_is_empty()) << "an empty directory needs no trash";
    empty();
}

TEST_F(Trash, EveryKindOfFileIsRemovedAndNoLinkFollowed)
{
    directory_.write("user/1000/a/b/file", "text");
    const auto link = [this](const std::string& name, const std::string& target) {
        ASSERT_EQ(::symlink(target.c_str(), (*this / ("user/1000/" + name)).c_str()), 0);
    };
    link("to-directory", *this / "precious");
    link("a/to-file", *this / "precious/file");
    link("a/up", "../..");
    link("a/b/itself", "itself");
    ASSERT_EQ(::mkfifo((*this / "user/1000/fifo").c_str(), 0600), 0);
    ASSERT_EQ(::link((*this / "precious/file").c_str(), (*this / "user/1000/hard").c_str()), 0);
    directory_.write("user/1000/" + std::string(255, 'x'), "");
    directory_.write("user/1000/...", "");
    directory_.make_directory("user/1000/\n");
    ASSERT_EQ(::chmod((*this / "user/1000/a").c_str(), 0), 0);
    ASSERT_TRUE(take());
    EXPECT_FALSE(is_there());
    EXPECT_FALSE(trash_is_empty()) << "taking away does not depend on what is in it";
    empty();
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, LinksAndFilesInThePlaceOfTheDirectory)
{
    ASSERT_EQ(::symlink((*this / "precious").c_str(), (*this / "user/1").c_str()), 0);
    ASSERT_EQ(::symlink("/none", (*this / "user/2").c_str()), 0);
    directory_.write("user/3", "");
    for (const char* name : {"1", "2", "3"}) {
        EXPECT_TRUE(take(name));
        EXPECT_FALSE(is_there(std::string("user/") + name));
    }
    empty();
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, MountsAreDetachedWhateverUsesThem)
{
    const std::string mounted = *this / "user/1000";
    for (int i = 0; i < 3; ++i) ASSERT_EQ(::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "mode=0755"), 0);
    directory_.write("user/1000/open", "text");
    ASSERT_EQ(::mount("tmpfs", directory_.make_directory("user/1000/below").c_str(), "tmpfs", 0, nullptr), 0);
    test::Ready ready;
    test::Forked working([&] {
        const int open = ::open((mounted + "/open").c_str(), O_RDWR);
        return ::chdir((mounted + "/below").c_str()) == 0 && open >= 0 && ready.tell() && ::pause() == 0;
    });
    ASSERT_TRUE(ready.wait());
    EXPECT_TRUE(take());
    EXPECT_FALSE(is_there());
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, MountsBelowAPlainDirectoryAreDetachedAndNotEmptied)
{
    directory_.make_directory("user/1000/a/bound");
    directory_.make_directory("user/1000/a/tmpfs");
    directory_.write("user/1000/a/bound-file", "");
    ASSERT_EQ(::mount((*this / "precious").c_str(), (*this / "user/1000/a/bound").c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(
        ::mount((*this / "precious/file").c_str(), (*this / "user/1000/a/bound-file").c_str(), nullptr, MS_BIND, nullptr),
        0);
    ASSERT_EQ(::mount("tmpfs", (*this / "user/1000/a/tmpfs").c_str(), "tmpfs", 0, nullptr), 0);
    directory_.write("user/1000/a/tmpfs/file", "");
    ASSERT_TRUE(take());
    empty();
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, AMountThatOnlyAnotherNamespaceSeesGoesToo)
{
    test::Ready ready;
    const std::string mounted = *this / "user/1000";
    test::Forked elsewhere([&] {
        return ::unshare(CLONE_NEWNS) == 0 && ::mount("tmpfs", mounted.c_str(), "tmpfs", 0, nullptr) == 0 && ready.tell() &&
               ::pause() == 0;
    });
    ASSERT_TRUE(ready.wait());
    EXPECT_TRUE(take());
    EXPECT_FALSE(is_there());
}

TEST_F(Trash, AFileSystemThatNeverAnswersDoesNotHang)
{
    const Fd fuse(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!fuse) GTEST_SKIP() << "no /dev/fuse here";
    const std::string options = "fd=" + std::to_string(fuse.get()) + ",rootmode=40000,user_id=0,group_id=0";
    for (const char* name : {"user/1000", "user/1001/a/b"})
        ASSERT_EQ(::mount("fuse", directory_.make_directory(name).c_str(), "fuse", 0, options.c_str()), 0) << name;
    test::Forked child([this] {
        (void)::alarm(20);
        const bool taken = take().ok() && take("1001").ok();
        empty();
        return taken;
    });
    EXPECT_TRUE(child.succeeds());
    EXPECT_TRUE(std::filesystem::is_empty(*this / "user"));
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, ATreeOfAnyDepthNeedsNoDepthOfOurs)
{
    constexpr int depth = 30000;
    Fd at(::openat(user_.get(), "1000", O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (int i = 0; i < depth; ++i) {
        ASSERT_EQ(::mkdirat(at.get(), "d", 0700), 0);
        at = Fd(::openat(at.get(), "d", O_PATH | O_DIRECTORY | O_CLOEXEC));
        ASSERT_TRUE(at);
    }
    at.reset();
    ASSERT_TRUE(take());
    empty();
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, ManyFilesAreRemovedAsFarAsTheDeadlineGoes)
{
    constexpr int files = 30000;
    for (int i = 0; i < files; ++i)
        ASSERT_EQ(::mknodat(user_.get(), ("1000/" + std::to_string(i)).c_str(), S_IFREG | 0600, 0), 0);
    const auto left = [this] {
        struct statfs system {};
        return ::statfs(path().c_str(), &system) == 0 ? system.f_files - system.f_ffree : 0;
    };
    ASSERT_EQ(::chown((*this / "user/1000").c_str(), someone, someone), 0);
    ASSERT_EQ(::chmod((*this / "user/1000").c_str(), 0777), 0);
    ASSERT_TRUE(take("1000", Deadline::after(0ms))) << "the user loses it at once";
    empty(Deadline::after(0ms));
    EXPECT_GT(left(), static_cast<std::uint64_t>(files));
    // Where the machine has something else to do, the five milliseconds pass without us.
    auto took = Deadline::Clock::duration::max();
    for (int i = 0; i < 100 && (took >= 1s || left() >= static_cast<std::uint64_t>(files)); ++i) {
        const auto begin = Deadline::Clock::now();
        empty(Deadline::after(5ms));
        took = Deadline::Clock::now() - begin;
    }
    EXPECT_LT(took, 1s);
    EXPECT_LT(left(), static_cast<std::uint64_t>(files)) << "what is done is done";
    ASSERT_FALSE(trash_is_empty());
    struct stat status {};
    ASSERT_EQ(::stat(std::filesystem::directory_iterator(*this / "trash")->path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 0U) << "a process that works inside makes nothing new";
    EXPECT_EQ(status.st_mode & 07777, 0700U);
    empty();
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, AUserWhoGoesOnInsideMakesNothingNew)
{
    ASSERT_EQ(::chown((*this / "user/1000").c_str(), someone, someone), 0);
    test::Ready ready;
    test::Forked user([&] {
        if (::chdir((*this / "user/1000").c_str()) != 0 || ::setgid(someone) != 0 || ::setuid(someone) != 0) return false;
        for (unsigned i = 0;; ++i) {
            const std::string name = std::to_string(i % 2000);
            (void)(::mkdir(name.c_str(), 0777) == 0 && ::mkdir((name + "/below").c_str(), 0777) == 0);
            if (i == 500 && !ready.tell()) return false;
        }
    });
    ASSERT_TRUE(ready.wait());
    ASSERT_TRUE(take());
    empty();
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, SeveralEmptyItAtOnce)
{
    for (int i = 0; i < 3000; ++i) directory_.write("user/1000/" + std::to_string(i % 50) + "/d/" + std::to_string(i), "");
    ASSERT_TRUE(take());
    std::vector<test::Forked> children;
    for (int i = 0; i < 4; ++i) {
        children.emplace_back([this] {
            empty();
            return true;
        });
    }
    for (auto& child : children) EXPECT_TRUE(child.succeeds());
    empty();
    EXPECT_TRUE(trash_is_empty());
}

TEST_F(Trash, WhatCannotBeRemovedIsLeftWithoutAnEndlessLoop)
{
    directory_.write("user/1000/a/file", "");
    ASSERT_TRUE(take());
    // Read-only now.
    ASSERT_EQ(::mount("none", path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const auto begin = std::chrono::steady_clock::now();
    empty();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    ASSERT_EQ(::mount("none", path().c_str(), nullptr, MS_REMOUNT, nullptr), 0);
    empty();
    EXPECT_TRUE(trash_is_empty());
}

}  // namespace
}  // namespace slurm_adopt
