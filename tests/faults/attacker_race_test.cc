// SPDX-License-Identifier: GPL-2.0-or-later
// A user who exchanges files while logins run: what was looked at is not what is connected to.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <new>
#include <thread>

#include "fault_logins.h"
#include "node_test.h"
#include "support/fault_table.h"
#include "support/forked.h"
#include "support/listening_socket.h"

namespace slurm_adopt::test {
namespace {

constexpr int at_once = 4;
constexpr int logins_by_netlink = 200;
constexpr int logins_by_text = 800;  // which does not tell whose a socket is, so that the file counts

// What the attacker's process shares with the test.
struct Shared {
    std::atomic<unsigned> exchanges, connections, bytes;
};

class Race : public NodeTest {
protected:
    void SetUp() override
    {
        void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(memory, MAP_FAILED);
        shared_ = new (memory) Shared{};
        directory_ = spool_.make_directory("a");
        ASSERT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        ASSERT_EQ(::chown(directory_.c_str(), alice, 0), 0);
    }
    void TearDown() override { (void)::munmap(shared_, sizeof(Shared)); }

    // Says yes before it is asked, and counts what it is told.
    static void answer(int fd, Shared& shared)
    {
        const Fd socket(fd);
        const std::int32_t answers[] = {release_22_05, static_cast<std::int32_t>(alice), 0, 0, 0, 0};
        (void)::send(socket.get(), answers, sizeof answers, MSG_NOSIGNAL);
        char buffer[64];
        const ssize_t got = ::recv(socket.get(), buffer, sizeof buffer, 0);
        if (got > 0) shared.bytes += static_cast<unsigned>(got);
        ++shared.connections;
    }

    // In a process of alice's: the name is in turn a socket of hers, a socket file of root's, a link to bob's slurmstepd.
    static bool attack(const std::string& name, const std::string& link_to, const Ready& ready, Shared& shared)
    {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::setresuid(alice, alice, alice) != 0) return false;
        const Fd listener = listen_at(name);
        if (::symlink(link_to.c_str(), (name + ".l").c_str()) != 0) return false;
        std::thread server([&] {
            for (;;)
                if (const int fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC); fd >= 0) answer(fd, shared);
        });
        if (!ready.tell()) return false;
        for (;;)
            for (const char* other : {".r", ".r", ".l", ".l"}) {
                if (::renameat2(AT_FDCWD, name.c_str(), AT_FDCWD, (name + other).c_str(), RENAME_EXCHANGE) != 0)
                    return false;
                ++shared.exchanges;
            }
    }

    std::string directory_;
    Shared* shared_ = nullptr;
};

TEST_F(Race, FilesExchangedDuringLogins)
{
    FakeStepd& bobs = start(9, {.uid = bob}, Layout::v2);
    const std::string name = directory_ + '/' + step_socket_name(tree_.node(), 7);
    // Of a service of root's that has left it there.
    (void)listen_at(name + ".r");
    Ready ready;
    Forked attacker([&] { return attack(name, bobs.socket(), ready, *shared_); });
    ASSERT_TRUE(ready.wait());

    Login login{.options = {"strict", "timeout=1"}};
    std::map<std::string, int> decisions;
    double longest = 0;
    for (int i = 0; i < logins_by_netlink + logins_by_text; i += at_once) {
        if (i == logins_by_netlink) {
            login.roots = Roots{};
            login.roots->proc = "/proc/.";
        }
        for (const Outcome& outcome : log_in_together(std::vector<Login>(at_once, login))) {
            ASSERT_EQ(outcome.complaints, "");
            ++decisions[decision_of(outcome)];
            expect_nothing_of_others(outcome, {"bob", std::to_string(bob), spool_.path()});
            longest = std::max(longest, outcome.milliseconds);
        }
    }
    EXPECT_EQ(decisions, (std::map<std::string, int>{{"deny no_jobs", logins_by_netlink + logins_by_text}}));
    EXPECT_GT(shared_->exchanges, 2000U);
    EXPECT_GT(shared_->connections, 0U) << "no login was ever deceived by the file: no race";
    EXPECT_EQ(shared_->bytes, 0U) << "her server was spoken to";
    EXPECT_EQ(bobs.seen().adopt, 0);
    report_fault({"attacker",
                  "exchanges a socket of the own, a file of root's and a link to another's stepd during 1000 logins",
                  "deny no_jobs, never a word to the own server", 1300},
                 longest);
}

}  // namespace
}  // namespace slurm_adopt::test
