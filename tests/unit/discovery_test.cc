// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/discovery.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/own_steps.h"
#include "support/descriptors.h"
#include "support/listening_socket.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

constexpr uid_t somebody = 41001;

class DiscoveryTest : public testing::Test {
protected:
    // A socket and, in the table of the fake /proc, its line.
    std::string add(const std::string& node, unsigned job_id, const std::string& where = "spool")
    {
        const std::string path = directory_.make_directory(where) + '/' + test::step_socket_name(node, job_id);
        sockets_.push_back(test::listen_at(path));
        list(path);
        return path;
    }
    void list(const std::string& path) { table_ += "0: 00000002 00000000 00010000 0001 01 1 " + path + '\n'; }

    Result<Discovery> find(const std::string& nodename = "")
    {
        Roots roots;
        roots.proc = directory_.path();
        directory_.write("net/unix", table_);
        return look(discover(roots, "", nodename, Deadline::after(5s)));
    }
    static Result<Discovery> look(Result<Discovery> found)
    {
        if (!found) return found;
        return look_at_files(std::move(found).value());
    }
    static std::vector<std::string> paths(const Discovery& found)
    {
        std::vector<std::string> all;
        for (const Candidate& candidate : found.candidates) all.push_back(candidate.path());
        std::sort(all.begin(), all.end());
        return all;
    }

    test::TempDirectory directory_;
    std::vector<Fd> sockets_;
    std::string table_ = "Num       RefCount Protocol Flags    Type St Inode Path\n";
};

using Paths = std::vector<std::string>;

TEST_F(DiscoveryTest, TheKernelsList)
{
    const std::string first = add("n1", 7);
    const std::string second = add("n2", 8, "other");
    list(directory_ / "spool/n1_9.4294967292");     // ended since
    list(directory_ / "nowhere/n1_10.4294967292");  // in another mount namespace
    const auto found = find();
    ASSERT_TRUE(found);
    EXPECT_EQ(paths(found.value()), (Paths{second, first}));
    EXPECT_TRUE(found.value().planted.empty());
    struct stat status {};
    ASSERT_EQ(::stat(first.c_str(), &status), 0);
    for (const Candidate& candidate : found.value().candidates) {
        if (candidate.path() != first) continue;
        EXPECT_EQ(candidate.socket.node, "n1");
        EXPECT_EQ(candidate.socket.job_id, 7U);
        EXPECT_EQ(candidate.socket_mtime_ns, std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec);
    }
}

// What decides whom to ask needs no file, and a file may lie where a look never ends.
TEST_F(DiscoveryTest, ListingTouchesNoFile)
{
    list("/nowhere/n1_9.4294967292");
    list("/nowhere/n2_9.4294967292");
    Roots roots;
    roots.proc = directory_.path();
    directory_.write("net/unix", table_);
    const auto found = discover(roots, "", "n1", Deadline::after(5s));
    ASSERT_TRUE(found);
    EXPECT_EQ(paths(found.value()), Paths{"/nowhere/n1_9.4294967292"});
    EXPECT_EQ(found.value().candidates[0].socket_mtime_ns, 0);
    EXPECT_TRUE(look_at_files(found.value()).candidates.empty());
}

TEST_F(DiscoveryTest, OneStepByTwoPathsIsOne)
{
    (void)add("n1", 7);
    (void)add("n1", 8);
    ASSERT_EQ(::symlink((directory_ / "spool").c_str(), (directory_ / "alias").c_str()), 0);
    list(directory_ / "alias/n1_7.4294967292");
    list(directory_ / "spool/../spool/n1_7.4294967292");
    const auto found = find();
    ASSERT_TRUE(found);
    EXPECT_EQ(found.value().candidates.size(), 2U);
    EXPECT_TRUE(found.value().planted.empty());
}

TEST_F(DiscoveryTest, OnlyTheNodeAskedFor)
{
    (void)add("n1", 7);
    const std::string wanted = add("n2", 7);
    (void)add("n22", 7);
    EXPECT_EQ(paths(find("n2").value()), Paths{wanted});
    EXPECT_EQ(paths(find("n").value()), Paths{});
    EXPECT_EQ(paths(find("N2").value()), Paths{});
}

TEST_F(DiscoveryTest, PlantedSocketsAreNamedAndNeverCandidates)
{
    const std::string real = add("n1", 7);
    const std::string users = add("n1", 8);
    ASSERT_EQ(::chown(users.c_str(), somebody, 0), 0);
    const std::string link = directory_ / "spool/n1_9.4294967292";
    ASSERT_EQ(::symlink(real.c_str(), link.c_str()), 0);
    list(link);
    list(directory_.write("spool/n1_10.4294967292", "a file"));
    list(directory_.make_directory("spool/n1_11.4294967292"));
    auto found = find();
    ASSERT_TRUE(found);
    EXPECT_EQ(paths(found.value()), Paths{real});
    std::sort(found.value().planted.begin(), found.value().planted.end());
    EXPECT_EQ(found.value().planted,
              (Paths{directory_ / "spool/n1_10.4294967292", directory_ / "spool/n1_11.4294967292", users, link}));
    EXPECT_TRUE(find("n2").value().planted.empty()) << "another node's are not looked at";
}

// Whether somebody has connected.
bool was_connected_to(const Fd& listener)
{
    pollfd waiting{.fd = listener.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 1;
}

TEST_F(DiscoveryTest, AUsersSocketIsNotAskedWhoOwnsItsJob)
{
    const std::string planted = add("n1", 8);
    (void)add("n1", 9);
    ASSERT_EQ(::chown(planted.c_str(), somebody, 0), 0);
    Roots roots;
    roots.proc = directory_.path();
    directory_.write("net/unix", table_);
    EXPECT_FALSE(owner_of_job(roots, "", "", 8, Deadline::after(50ms)));
    EXPECT_FALSE(was_connected_to(sockets_[0])) << "a user's";
    EXPECT_FALSE(owner_of_job(roots, "", "", 9, Deadline::after(50ms)));
    EXPECT_TRUE(was_connected_to(sockets_[1])) << "root's";
}

TEST_F(DiscoveryTest, AnUnreadableListIsAnErrorAndNotAnEmptyOne)
{
    Roots roots;
    roots.proc = directory_ / "nowhere";
    const auto found = discover(roots, "", "", Deadline::after(5s));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().errno_value, ENOENT);
    EXPECT_NE(found.error().context.find("/net/unix"), std::string::npos);
    EXPECT_TRUE(find()) << "an empty one is none";
    EXPECT_TRUE(find().value().candidates.empty());
}

TEST_F(DiscoveryTest, SpoolDirectory)
{
    const std::string first = add("n1", 7);
    const std::string second = add("n2", 9);
    (void)add("n1", 5, "other");
    const std::string planted = add("n1", 8);
    ASSERT_EQ(::lchown(planted.c_str(), somebody, 0), 0);
    directory_.write("spool/slurmd.pid", "1");
    directory_.write("spool/job00007/slurm_script", "x");
    const std::string batch = directory_ / "spool/n1_7.4294967291";
    sockets_.push_back(test::listen_at(batch));

    Roots roots;
    roots.proc = directory_ / "nowhere";  // not needed here
    const auto found = look(discover(roots, directory_ / "spool", "", Deadline::after(5s)));
    ASSERT_TRUE(found);
    EXPECT_EQ(paths(found.value()), (Paths{first, second}));
    EXPECT_EQ(found.value().planted, Paths{planted});
    EXPECT_EQ(paths(discover(roots, directory_ / "spool", "n2", Deadline::after(5s)).value()), Paths{second});

    const auto missing = discover(roots, directory_ / "none", "", Deadline::after(5s));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().errno_value, ENOENT);
    EXPECT_FALSE(discover(roots, directory_ / "spool/slurmd.pid", "", Deadline::after(5s))) << "not a directory";
}

TEST_F(DiscoveryTest, LeavesNoDescriptorOpen)
{
    (void)add("n1", 7);
    (void)add("n1", 8, "other");
    (void)find();
    const auto before = test::open_descriptors();
    (void)find();
    (void)discover(Roots{}, directory_ / "spool", "", Deadline::after(5s));
    (void)discover(Roots{}, directory_ / "none", "", Deadline::after(5s));
    EXPECT_EQ(test::open_descriptors(), before);
}

// The real kernel, asked by netlink, and by /proc/net/unix (another name for /proc takes the fallback).
TEST(Discovery, TheRealKernelListsARealSocket)
{
    const test::TempDirectory directory;
    const std::string node = "unit" + std::to_string(::getpid());
    const Fd socket = test::listen_at(directory / test::step_socket_name(node, 7));
    Roots by_text;
    by_text.proc = "/proc/.";
    for (const Roots& roots : {Roots{}, by_text}) {
        const auto found = discover(roots, "", node, Deadline::after(5s));
        ASSERT_TRUE(found);
        ASSERT_EQ(found.value().candidates.size(), 1U) << roots.proc;
        EXPECT_EQ(found.value().candidates[0].path(), directory / test::step_socket_name(node, 7));
        EXPECT_TRUE(found.value().planted.empty());
        EXPECT_EQ(look_at_files(found.value()).candidates.size(), 1U);
    }
}

TEST(Discovery, TheRealKernelTellsAUsersSocketFromRoots)
{
    const test::TempDirectory directory;
    const std::string node = "unit" + std::to_string(::getpid());
    const std::string path = directory / test::step_socket_name(node, 7);
    ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
    ASSERT_EQ(::seteuid(somebody), 0);
    const Fd socket = test::listen_at(path);
    ASSERT_EQ(::seteuid(0), 0);
    for (const bool given_to_root : {false, true}) {
        // The file's owner proves nothing: whoever made the socket listens on it.
        if (given_to_root) {
            ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
        }
        const auto found = discover(Roots{}, "", node, Deadline::after(5s));
        ASSERT_TRUE(found);
        EXPECT_TRUE(found.value().candidates.empty());
        EXPECT_EQ(found.value().planted, Paths{path});
    }
}

}  // namespace
}  // namespace slurm_adopt
