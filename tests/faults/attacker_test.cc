// SPDX-License-Identifier: GPL-2.0-or-later
// Local users who plant, flood and fork. Nobody but root learns or changes anything; who floods keeps out himself.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "fault_logins.h"
#include "node_test.h"
#include "slurm_adopt/unix_stream.h"
#include "stepd_fault.h"
#include "support/fault_table.h"
#include "support/forked.h"
#include "support/listening_socket.h"

namespace slurm_adopt::test {
namespace {

constexpr int tries = 5;

Login login_of(const char* user, const char* timeout = "timeout=10")
{
    return {.user = user, .options = {"strict", timeout}};
}

Roots by_text()
{
    Roots roots;
    roots.proc = "/proc/.";  // another name for it: /proc/net/unix, which does not tell whose a socket is
    return roots;
}

class Attacker : public NodeTest {
protected:
    void SetUp() override { ASSERT_EQ(::chmod(spool_.path().c_str(), 0755), 0); }
};

// A path that the kernel does not keep in the file system, and that looks like bob's all the same.
Fd listen_abstract(const std::string& name)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_LT(name.size(), sizeof address.sun_path);
    name.copy(address.sun_path + 1, name.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket.get(), 16), 0);
    return socket;
}

TEST_F(Attacker, AbstractSocketsAreNone)
{
    (void)start(9, {.uid = bob});
    std::vector<Fd> sockets;
    ASSERT_EQ(::seteuid(alice), 0);
    for (const unsigned job_id : {7U, 8U, 9U}) {
        sockets.push_back(listen_abstract(spool_.path() + '/' + step_socket_name(tree_.node(), job_id)));
        sockets.push_back(listen_abstract('@' + spool_.path() + '/' + step_socket_name(tree_.node(), job_id)));
    }
    ASSERT_EQ(::seteuid(0), 0);
    double longest = 0;
    for (const auto& roots : {std::optional<Roots>(), std::optional(by_text())}) {
        Login login = login_of("alice");
        login.roots = roots;
        const Outcome outcome = log_in(login);
        expect("abstract", outcome,
               {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
        longest = std::max(longest, outcome.milliseconds);
    }
    report_fault({"attacker", "sockets named like steps in the abstract namespace", "deny no_jobs", 300}, longest);
}

// The text of /proc/net/unix with a line of one's own in it, which names a socket of root's by a path of one's own.
TEST_F(Attacker, AForgedLineIsNoStep)
{
    FakeStepd& bobs = start(9, {.uid = bob}, Layout::v2);
    const std::string link = spool_.path() + "/l";
    ASSERT_EQ(::symlink(spool_.path().c_str(), link.c_str()), 0);
    const std::string name = step_socket_name(tree_.node(), 9);
    std::vector<Fd> sockets;
    ASSERT_EQ(::seteuid(alice), 0);
    for (const std::string& path : {link + '/' + name, bobs.socket()})
        sockets.push_back(listen_abstract("x\n0: 2 0 00010000 1 1 1 " + path));
    ASSERT_EQ(::seteuid(0), 0);
    double longest = 0;
    for (const auto& [user, decision] : {std::pair("alice", "deny no_jobs"), std::pair("bob", "adopt one_job")}) {
        Login login = login_of(user);
        login.roots = by_text();
        const Outcome outcome = log_in(login);
        EXPECT_EQ(outcome.complaints, "");
        EXPECT_EQ(decision_of(outcome), decision) << "one step must not look like two";
        longest = std::max(longest, outcome.milliseconds);
    }
    EXPECT_EQ(bobs.seen().adopt, 1);
    report_fault({"attacker", "lines forged in /proc/net/unix, which name another's step",
                  "deny no_jobs; adopt one_job for the other", 300},
                 longest);
}

// Connections that are held open, and never a word on them.
Forked flood(const std::string& socket, int connections, const Ready& ready)
{
    return Forked([&] {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::setresuid(alice, alice, alice) != 0) return false;
        std::vector<Fd> held;
        for (int tries_left = 20 * connections; tries_left > 0 && static_cast<int>(held.size()) < connections;
             --tries_left) {
            auto connection = connect_unix(socket);
            if (connection) held.push_back(std::move(connection).value());
            if (!connection) ::usleep(500);
        }
        if (held.empty() || !ready.tell()) return false;
        while (true) ::pause();
    });
}

TEST_F(Attacker, FloodsTheOwnStepd)
{
    for (const Layout layout : {Layout::v1, Layout::v2}) {
        const std::string where = layout == Layout::v1 ? ", cgroup v1" : ", cgroup v2";
        Node node;
        ASSERT_EQ(::chmod(node.spool.path().c_str(), 0755), 0);
        FakeStepd& alices = node.start(7, of_release({}, layout), layout);
        (void)node.start(8, of_release({.uid = bob}, layout), layout);
        const double without = best_of(tries, login_of("bob"), "adopt one_job");
        Ready ready;
        const Forked attacker = flood(alices.socket(), 500, ready);
        ASSERT_TRUE(ready.wait());
        report_fault({"attacker", "500 connections to the own stepd held open" + where, "adopt one_job", 300},
                     best_of(tries, login_of("alice"), "adopt one_job", 300));
        report_fault({"attacker",
                      "500 connections to the own stepd held open" + where + "; added for others, the best of a few",
                      "adopt one_job", 20},
                     std::max(0.0, best_of(tries, login_of("bob"), "adopt one_job", without + 20) - without));
    }
}

TEST_F(Attacker, FloodsTheOwnStepdUntilItCannotAcceptAnyMore)
{
    for (const Layout layout : {Layout::v1, Layout::v2}) {
        const bool v1 = layout == Layout::v1;
        const std::string what =
            std::string("the own stepd flooded until its backlog is full, cgroup ") + (v1 ? "v1" : "v2");
        Node node;
        ASSERT_EQ(::chmod(node.spool.path().c_str(), 0755), 0);
        (void)node.start(8, of_release({.uid = bob}, layout), layout);
        const double without = best_of(tries, login_of("bob"), "adopt one_job");
        // As one that has no descriptor left.
        StepdScript exhausted = of_release({}, layout);
        exhausted.accepts = false;
        exhausted.backlog = 30;
        FakeStepd& alices = node.start(7, exhausted, layout);
        Ready ready;
        const Forked attacker = flood(alices.socket(), 100, ready);
        ASSERT_TRUE(ready.wait());
        const std::string own = v1 ? "deny adopt_timeout" : "deny no_jobs";
        report_fault({"attacker", what + ", timeout=1", own, 1300}, best_of(1, login_of("alice", "timeout=1"), own, 1300));
        const double for_others = v1 ? 20 : 300;
        report_fault({"attacker", what + "; added for others, the best of a few", "adopt one_job", for_others},
                     std::max(0.0, best_of(tries, login_of("bob"), "adopt one_job", without + for_others) - without));
        const double refused = v1 ? 300 : 1300;
        report_fault({"attacker", what + ", another user without a job, timeout=1", "deny no_jobs", refused},
                     best_of(1, login_of("carol", "timeout=1"), "deny no_jobs", refused));
    }
}

TEST_F(Attacker, ForksDuringLogins)
{
    for (const Layout layout : {Layout::v1, Layout::v2}) {
        Node node;
        FakeStepd& alices = node.start(7, of_release({}, layout), layout);
        const Forked attacker([&] {
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::setresuid(alice, alice, alice) != 0) return false;
            for (;;) {
                const pid_t child = ::fork();
                if (child == 0) ::_exit(0);
                (void)::waitpid(child, nullptr, 0);
            }
        });
        alices.pull_in(attacker.pid());
        double longest = 0;
        for (int i = 0; i < 200; ++i) {
            const Outcome outcome = log_in(login_of("alice"));
            ASSERT_EQ(outcome.complaints, "");
            ASSERT_EQ(decision_of(outcome), "adopt one_job");
            ASSERT_TRUE(is_in(outcome, alices.cgroup()));
            longest = std::max(longest, outcome.milliseconds);
        }
        report_fault({"attacker",
                      std::string("forks without end in the own job during 200 logins, cgroup ") +
                          (layout == Layout::v1 ? "v1" : "v2"),
                      "adopt one_job, verified", 2000},
                     longest);
    }
}

}  // namespace
}  // namespace slurm_adopt::test
