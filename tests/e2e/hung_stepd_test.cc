// SPDX-License-Identifier: GPL-2.0-or-later
// Slurm's own slurmstepds, stopped and flooded: what they cost their users, and what others.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <vector>

#include "cluster.h"
#include "foretold.h"
#include "job.h"
#include "login.h"
#include "support/fault_table.h"

namespace slurm_adopt::e2e {
namespace {

using test::report_fault;

constexpr int tries = 5;
constexpr uid_t bob = 2002;

// SIGSTOPped for as long as this lives.
class Frozen {
public:
    explicit Frozen(pid_t pid) : pid_(pid)
    {
        EXPECT_GT(pid_, 1);
        if (pid_ > 1) (void)::kill(pid_, SIGSTOP);
    }
    ~Frozen()
    {
        if (pid_ > 1) (void)::kill(pid_, SIGCONT);
    }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;

private:
    pid_t pid_;
};

double milliseconds(const Login& login)
{
    return static_cast<double>(login.account_took.count()) / 1000;
}

// The shortest of a few: the machine has other things to do too.
double best_of(int count, const std::string& user, int result)
{
    double best = 1e9;
    for (int i = 0; i < count; ++i) {
        const Login login = pam_login(user, "strict timeout=1");
        EXPECT_EQ(login.result, result) << login.messages;
        best = std::min(best, milliseconds(login));
    }
    return best;
}

TEST(HungStepd, OfOthers)
{
    const Job own = Job::allocate("alice");
    std::list<Job> others;
    for (int i = 0; i < 3; ++i) others.push_back(Job::allocate("bob"));
    const double with_job = best_of(tries, "alice", PAM_SUCCESS);
    const double without_job = best_of(tries, "carol", PAM_PERM_DENIED);
    std::list<Frozen> frozen;
    for (const Job& job : others) frozen.emplace_back(job.stepd());
    const double with_job_then = best_of(tries, "alice", PAM_SUCCESS);
    const double without_job_then = best_of(tries, "carol", PAM_PERM_DENIED);
    report_fault({"slurmstepd", "Slurm's own: 3 stepds of another user's stopped, cgroup v1; added, the best of a few",
                  "adopt one_job", 20},
                 std::max(0.0, with_job_then - with_job));
    report_fault({"slurmstepd",
                  "Slurm's own: 3 stepds of another user's stopped, cgroup v1, no job; added, the best of a few",
                  "deny no_jobs", 20},
                 std::max(0.0, without_job_then - without_job));
}

TEST(HungStepd, OnesOwn)
{
    const Job own = Job::allocate("alice");
    const Frozen frozen(own.stepd());
    double longest = 0;
    for (const bool strict : {true, false}) {
        const LogMark mark;
        const Login login = pam_login("alice", strict ? "timeout=1 strict" : "timeout=1");
        EXPECT_EQ(login.result, strict ? PAM_PERM_DENIED : PAM_SUCCESS);
        EXPECT_EQ(login.job, 0U);
        EXPECT_EQ(mark.decision("alice")["reason"], "adopt_timeout") << mark.decision("alice").line;
        longest = std::max(longest, milliseconds(login));
    }
    report_fault({"slurmstepd", "Slurm's own: the own stepd stopped, timeout=1",
                  "deny adopt_timeout; without strict allow adopt_timeout", 1300},
                 longest);
}

// Connections to a slurmstepd's socket, held open by a process of bob's.
class Flood {
public:
    Flood(const std::string& socket, unsigned connections)
    {
        int ready[2];
        EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) hold(socket, connections, ready[1]);
        (void)::close(ready[1]);
        EXPECT_EQ(::read(ready[0], &connected_, sizeof connected_), static_cast<ssize_t>(sizeof connected_));
        (void)::close(ready[0]);
    }
    ~Flood()
    {
        (void)::kill(pid_, SIGKILL);
        (void)::waitpid(pid_, nullptr, 0);
    }
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;
    [[nodiscard]] unsigned connected() const { return connected_; }

private:
    [[noreturn]] static void hold(const std::string& path, unsigned connections, int ready)
    {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const rlimit enough{connections + 64, connections + 64};
        if (::setrlimit(RLIMIT_NOFILE, &enough) != 0 || ::setresuid(bob, bob, bob) != 0) ::_exit(1);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        unsigned held = 0;
        for (unsigned failed = 0; held < connections && failed < 200;) {
            const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
                ++held;
                failed = 0;
                continue;
            }
            (void)::close(fd);
            ++failed;
            ::usleep(1000);
        }
        (void)!::write(ready, &held, sizeof held);
        while (true) ::pause();
    }

    pid_t pid_ = -1;
    unsigned connected_ = 0;
};

TEST(HungStepd, FloodedByItsUser)
{
    const Job others = Job::allocate("alice");
    const Job own = Job::allocate("bob");
    const double alone = best_of(tries, "alice", PAM_SUCCESS);
    const double refused_alone = best_of(tries, "carol", PAM_PERM_DENIED);
    {
        const NotForetold not_foretold("an answer of a flooded slurmstepd's tells nothing of the next one");
        const Flood flood(own.socket(), 3000);
        EXPECT_GE(flood.connected(), 100U);
        const LogMark mark;
        const Login login = pam_login("bob", "strict timeout=1");
        // As it is able to answer: but nowhere else, and by then.
        if (login.result == PAM_SUCCESS) {
            EXPECT_EQ(login.job, own.id());
        } else {
            EXPECT_EQ(login.result, PAM_PERM_DENIED);
            EXPECT_EQ(login.job, 0U);
        }
        const double added = best_of(tries, "alice", PAM_SUCCESS) - alone;
        const double refused_added = best_of(tries, "carol", PAM_PERM_DENIED) - refused_alone;
        report_fault({"attacker", "Slurm's own: 3000 connections to the own stepd held open, timeout=1",
                      "the own job, or deny", 1300},
                     milliseconds(login));
        report_fault({"attacker",
                      "Slurm's own: 3000 connections to the own stepd held open; added for others, the best of a few",
                      "adopt one_job", 20},
                     std::max(0.0, added));
        report_fault(
            {"attacker",
             "Slurm's own: 3000 connections to the own stepd held open; added for others without a job, the best of a few",
             "deny no_jobs", 20},
            std::max(0.0, refused_added));
    }
    const NotForetold not_foretold("the flood's last connections are still answered");
    (void)best_of(1, "bob", PAM_SUCCESS);  // over with it
}

}  // namespace
}  // namespace slurm_adopt::e2e
