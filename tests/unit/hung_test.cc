// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/hung.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "support/forked.h"
#include "support/listening_socket.h"
#include "support/locked_process.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using namespace test;
using namespace std::chrono_literals;

// A process that listens, under the strangest of names.
class Listening {
public:
    Listening(const std::string& path, uid_t uid)
        : process_([&] {
              (void)::prctl(PR_SET_NAME, ") T (");
              if (::setresuid(uid, uid, uid) != 0) return false;
              const Fd socket = listen_at(path);
              if (!ready_.tell()) return false;
              while (true) ::pause();
          })
    {
        EXPECT_TRUE(ready_.wait());
    }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    void stop() const
    {
        (void)::kill(pid(), SIGSTOP);
        (void)::waitpid(pid(), nullptr, WUNTRACED);
    }
    void make_zombie() const { process_.make_zombie(); }

private:
    Ready ready_;
    Forked process_;
};

class Hung : public testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root";
        ASSERT_EQ(::chmod(directory_.path().c_str(), 01777), 0);
    }
    [[nodiscard]] bool is_listed(const std::string& name, Deadline deadline = Deadline::after(10s)) const
    {
        const auto paths = sockets_of_stopped(Roots{}, deadline);
        return std::binary_search(paths.begin(), paths.end(), directory_ / name);
    }

    const TempDirectory directory_;
};

TEST_F(Hung, StoppedAndDeadAre)
{
    const Listening process(directory_ / "s", 0);
    EXPECT_FALSE(is_hung(Roots{}, process.pid()));
    process.stop();
    EXPECT_TRUE(is_hung(Roots{}, process.pid()));
    process.make_zombie();
    EXPECT_TRUE(is_hung(Roots{}, process.pid()));
}

// As a program of root's may be that a user has started.
TEST_F(Hung, WhoseMemoryIsLockedIsNotWaitedFor)
{
    const LockedProcess locked([] { return true; });
    ASSERT_TRUE(locked.is_locked());
    (void)::alarm(20);  // dead of it, not hung
    EXPECT_FALSE(is_hung(Roots{}, locked.pid()));
    EXPECT_FALSE(is_listed("s"));
    (void)::alarm(0);
}

TEST_F(Hung, WhoIsNotThereIsNotKnownToBe)
{
    EXPECT_FALSE(is_hung(Roots{.proc = "/nowhere"}, 1));
    EXPECT_TRUE(sockets_of_stopped(Roots{.proc = "/nowhere"}, Deadline::after(10s)).empty());
}

TEST_F(Hung, SocketsOfStoppedOnes)
{
    const Listening runs(directory_ / "runs", 0);
    const Listening stopped(directory_ / "stopped", 0);
    stopped.stop();
    EXPECT_TRUE(is_listed("stopped"));
    EXPECT_FALSE(is_listed("runs"));
    EXPECT_FALSE(is_listed("stopped", Deadline::after(0s))) << "no time to look";
    (void)::kill(stopped.pid(), SIGCONT);
    for (int i = 0; i < 1000 && is_hung(Roots{}, stopped.pid()); ++i) ::usleep(1000);
    EXPECT_FALSE(is_listed("stopped"));
}

// A user must not be able to keep the search busy, nor to have a say in it.
TEST_F(Hung, AUsersOwnDoNotCount)
{
    const Listening process(directory_ / "s", 12345);
    process.stop();
    EXPECT_FALSE(is_listed("s"));
}

}  // namespace
}  // namespace slurm_adopt
