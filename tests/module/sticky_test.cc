// SPDX-License-Identifier: GPL-2.0-or-later
// sticky=1: of several jobs the one that another login from the same client is in. Real sockets and real cgroups; sshd's
// processes are forks of this program.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "in_child.h"
#include "node_test.h"
#include "support/descriptors.h"
#include "support/failing_call.h"
#include "support/tcp_client.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* server = "127.0.0.1";
constexpr const char* laptop = "127.0.0.7";
constexpr const char* elsewhere = "127.0.0.8";

enum class As { monitor, user, user_with_open_proc, set_uid, other_program };

// A process that holds a client's connection, and nothing else that is ours.
class Holder {
public:
    Holder(TcpClient client, As kind) : client_(std::move(client)), process_([&] { return hold(kind); })
    {
        if (!ready_.wait()) throw std::runtime_error("the process that was to hold a connection has ended");
        // Of two of them it has to be known which one began later, by the kernel's ticks.
        std::this_thread::sleep_for(20ms);
    }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    void end() { process_.kill(); }
    void hang_up()
    {
        client_.process.kill();
        std::this_thread::sleep_for(20ms);
    }
    [[nodiscard]] Fd release() { return std::move(client_.accepted); }

private:
    bool hold(As kind)
    {
        for (const int fd : open_descriptors())
            if (fd != client_.accepted.get() && fd > 2 && !ready_.is(fd)) (void)::close(fd);
        const uid_t real = alice;
        const bool has_changed = kind == As::user || kind == As::user_with_open_proc ? ::setresuid(real, real, real) == 0
                                 : kind == As::set_uid                               ? ::setresuid(real, 0, 0) == 0
                                                                                     : true;
        if (!has_changed) return false;
        if (kind == As::user_with_open_proc) (void)::prctl(PR_SET_DUMPABLE, 1);
        if (kind == As::other_program) {
            (void)::fcntl(client_.accepted.get(), F_SETFD, 0);
            if (!ready_.tell()) return false;
            (void)::execl("/bin/sleep", "sshd", "120", nullptr);
            return false;
        }
        if (!ready_.tell()) return false;
        (void)::pause();
        return true;
    }

    TcpClient client_;
    Ready ready_;
    Forked process_;
};

class Sticky : public NodeTest {
protected:
    FakeStepd& start_later(unsigned job_id, Layout layout = Layout::v1, uid_t owner = alice)
    {
        std::this_thread::sleep_for(20ms);
        return start(job_id, {.uid = owner}, layout);
    }

    Holder& sit_in(const FakeStepd& stepd, TcpClient client, As kind = As::monitor)
    {
        Holder& holder = holders_.emplace_back(std::move(client), kind);
        stepd.pull_in(holder.pid());
        (void)holder.release();
        return holder;
    }
    [[nodiscard]] TcpClient from(const char* address) const { return {sshd_, address, server}; }

    // A login that comes from there now: "reason job".
    std::string login_from(const char* address, std::vector<std::string> options = {"strict", "sticky=1"})
    {
        const TcpClient own = from(address);
        return login_by(address, std::move(options)).decision;
    }

    struct Seen {
        std::string decision;
        std::string told;
        std::string log;
        std::string cgroup;
    };
    // By the connections that this process holds, after `prepare`. In a process between: the module adopts the parent with
    // the child, as sshd's monitor.
    static Seen login_by(const char* address, std::vector<std::string> options = {"strict", "sticky=1"},
                         const std::function<void()>& prepare = {})
    {
        const ChildResult result = in_child([&] {
            if (prepare) prepare();
            const Outcome outcome = log_in({.options = std::move(options), .rhost = address});
            return std::vector<std::string>{outcome.complaints, decided_by(outcome), joined(outcome.told),
                                            joined(outcome.log), outcome.cgroup};
        });
        EXPECT_EQ(result.trouble, "");
        if (result.lines.size() != 5) return {};
        EXPECT_EQ(result.lines[0], "");
        return {result.lines[1], result.lines[2], result.lines[3], result.lines[4]};
    }
    static std::string joined(const std::vector<std::string>& lines)
    {
        std::string text;
        for (const std::string& line : lines) text += line + '\n';
        return text;
    }
    static std::string decided_by(const Outcome& outcome)
    {
        if (outcome.log.empty()) return "nothing logged";
        const std::string& line = outcome.log.back();
        const auto value = [&](const std::string& key) {
            const std::size_t begin = line.find(' ' + key + '=') + key.size() + 2;
            return line.substr(begin, line.find(' ', begin) - begin);
        };
        return value("reason") + ' ' + value("job");
    }

    TcpListener sshd_{server};
    TcpListener other_sshd_{server};
    std::list<Holder> holders_;  // gone before the cgroups
};

TEST_F(Sticky, AnotherLoginFromTheSameClientGoesWhereTheFirstIs)
{
    for (const Layout layout : {Layout::v1, Layout::v2, Layout::v2_sluid}) {
        end_all();
        FakeStepd& older = start(7, {}, layout);
        (void)start_later(8, layout);
        EXPECT_EQ(login_from(laptop), "newest_job 8") << "nobody is here yet";
        Holder& first = sit_in(older, from(laptop));
        EXPECT_EQ(login_from(laptop, {"strict"}), "newest_job 8") << "sticky is off";
        EXPECT_EQ(login_from(laptop), "sticky 7");
        EXPECT_EQ(login_from(laptop, {"strict", "sticky=1", "action_unknown=deny"}), "sticky 7");
        if (layout != Layout::v1) {  // with jobacct_gather/cgroup
            const std::string& special = older.step().adopted;
            const std::string task = special.substr(0, special.rfind('/')) + "/task_0";
            std::filesystem::create_directories(task);
            ASSERT_TRUE(move_to_cgroup(task, first.pid()));
            EXPECT_EQ(login_from(laptop), "sticky 7") << task;
        }
        EXPECT_EQ(login_from(elsewhere), "newest_job 8");
        EXPECT_EQ(login_from(elsewhere, {"strict", "sticky=1", "action_unknown=deny"}), "unknown_job -");
        first.end();
        EXPECT_EQ(login_from(laptop), "newest_job 8") << "the first has ended";
        holders_.clear();
    }
}

TEST_F(Sticky, TellsTheUser)
{
    FakeStepd& older = start(7);
    (void)start_later(8);
    (void)sit_in(older, from(laptop));
    const TcpClient own = from(laptop);
    const Seen seen = login_by(laptop);
    EXPECT_EQ(seen.told, "info You have 2 jobs on HOST; this login was placed into job 7. For another one: "
                         "srun --overlap --pty --jobid=<JOBID> bash\n");
    EXPECT_NE(seen.cgroup.find(older.cgroup() + '\n'), std::string::npos) << seen.cgroup;
}

TEST_F(Sticky, KeepsTheOthersInReserve)
{
    FakeStepd& older = start(7, {.adopt_result = -1, .moves = false});
    (void)start_later(8);
    (void)sit_in(older, from(laptop));
    EXPECT_EQ(login_from(laptop), "newest_job 8") << "the sticky job's slurmstepd refuses";
    EXPECT_EQ(login_from(laptop, {"strict", "sticky=1", "action_unknown=deny"}), "unknown_job 7");
}

TEST_F(Sticky, OfSeveralTheConnectionThatWasOpenedLast)
{
    FakeStepd& first = start(7);
    FakeStepd& second = start_later(8);
    (void)start_later(9);
    (void)sit_in(second, from(laptop));
    (void)sit_in(first, from(laptop));
    EXPECT_EQ(login_from(laptop), "sticky 7");
    Holder& last = sit_in(second, from(laptop));
    (void)sit_in(first, from(elsewhere));
    EXPECT_EQ(login_from(laptop), "sticky 8");
    EXPECT_EQ(login_from(elsewhere), "sticky 7");
    last.end();
    EXPECT_EQ(login_from(laptop), "sticky 7");
}

TEST_F(Sticky, WhatIsNoMonitorOfTheClientsDoesNotCount)
{
    const struct {
        const char* what;
        As kind;
    } cases[] = {
        {"the user's own process, of the same program", As::user},
        {"the same, and its /proc is the user's", As::user_with_open_proc},
        {"a set-uid program that the user has started", As::set_uid},
        {"root's, but another program", As::other_program},
    };
    for (const auto& each : cases) {
        FakeStepd& older = start(7);
        (void)start_later(8);
        (void)sit_in(older, from(laptop), each.kind);
        EXPECT_EQ(login_from(laptop), "newest_job 8") << each.what;
        (void)sit_in(older, from(laptop));
        EXPECT_EQ(login_from(laptop), "sticky 7") << each.what << ": beside a real one";
        holders_.clear();
        end_all();
    }
}

TEST_F(Sticky, ConnectionsOfAnotherKindDoNotCount)
{
    FakeStepd& older = start(7);
    (void)start_later(8);
    FakeStepd& of_bob = start_later(9, Layout::v1, bob);
    (void)sit_in(older, from(elsewhere));
    EXPECT_EQ(login_from(laptop), "newest_job 8") << "another client";
    (void)sit_in(older, TcpClient(other_sshd_, laptop, server));
    EXPECT_EQ(login_from(laptop), "newest_job 8") << "another local port";
    (void)sit_in(of_bob, from(laptop));
    EXPECT_EQ(login_from(laptop), "newest_job 8") << "another user's job";
    Holder outside(from(laptop), As::monitor);
    EXPECT_EQ(login_from(laptop), "newest_job 8") << "in no job";
    Holder& closed = sit_in(older, from(laptop));
    EXPECT_EQ(login_from(laptop), "sticky 7");
    closed.hang_up();
    EXPECT_EQ(login_from(laptop), "newest_job 8") << "closed by the client";
}

// With keyboard-interactive authentication the parent holds it too, and may be in a job from an earlier attempt.
TEST_F(Sticky, TheLoginsOwnConnectionDoesNotCount)
{
    FakeStepd& older = start(7);
    (void)start_later(8);
    Holder& monitor = holders_.emplace_back(from(laptop), As::monitor);
    older.pull_in(monitor.pid());
    const Fd own = monitor.release();
    EXPECT_EQ(login_by(laptop).decision, "newest_job 8");
}

// What PAM_RHOST says picks among the sockets of the process; it is no address that anybody believes.
TEST_F(Sticky, TheRemoteHostAloneIsNotBelieved)
{
    FakeStepd& older = start(7);
    (void)start_later(8);
    (void)sit_in(older, from(laptop));
    EXPECT_EQ(login_by(laptop).decision, "newest_job 8") << "no connection at all";
    const TcpClient own = from(elsewhere);
    EXPECT_EQ(login_by(laptop).decision, "newest_job 8") << "a connection with somebody else";
    EXPECT_EQ(login_by("name.example").decision, "newest_job 8") << "a name: by the socket, whose peer is somebody else";
    const TcpClient same = from(laptop);
    EXPECT_EQ(login_by(laptop).decision, "sticky 7");
}

TEST_F(Sticky, Ipv6AndIpv4ByTheSameSocket)
{
    FakeStepd& older = start(7);
    (void)start_later(8);
    std::uint16_t port = 0;
    {
        const TcpListener dual("::");
        port = dual.port();
        (void)sit_in(older, TcpClient(dual, laptop, server));
        {
            const TcpClient own(dual, laptop, server);
            EXPECT_EQ(login_by(laptop).decision, "sticky 7") << "both mapped";
        }
        const TcpClient six(dual, "::1", "::1");
        EXPECT_EQ(login_by("::1").decision, "newest_job 8");
        (void)sit_in(older, TcpClient(dual, "::1", "::1"));
        EXPECT_EQ(login_by("::1").decision, "sticky 7");
    }
    const TcpListener plain(server, port);
    const TcpClient own(plain, laptop, server);
    EXPECT_EQ(login_by(laptop).decision, "sticky 7") << "the first one mapped, this one not";
}

TEST_F(Sticky, WhereTheKernelDoesNotTellItIsTheNewest)
{
    FakeStepd& older = start(7);
    (void)start_later(8);
    (void)sit_in(older, from(laptop));
    const TcpClient own = from(laptop);
    const struct {
        long call;
        int error;
        std::string line;
    } cases[] = {
        {SYS_pidfd_open, ENOSYS, "pidfd_open: Function not implemented"},
        {SYS_pidfd_getfd, EPERM, "pidfd_getfd: Operation not permitted"},
    };
    for (const auto& each : cases) {
        const Seen seen =
            login_by(laptop, {"strict", "sticky=1", "log_level=debug"}, [&] { (void)let_call_fail(each.call, each.error); });
        EXPECT_EQ(seen.decision, "newest_job 8");
        EXPECT_NE(seen.log.find("info sticky: no job by the client's other logins: " + each.line + '\n'), std::string::npos)
            << seen.log;
    }
}

TEST_F(Sticky, WithOneJobNobodyIsLookedFor)
{
    FakeStepd& only = start(7);
    (void)sit_in(only, from(laptop));
    const TcpClient own = from(laptop);
    const Seen seen =
        login_by(laptop, {"strict", "sticky=1", "log_level=debug"}, [] { (void)let_call_fail(SYS_pidfd_open, ENOSYS); });
    EXPECT_EQ(seen.decision, "one_job 7");
    EXPECT_EQ(seen.log.find("sticky"), std::string::npos) << seen.log;
}

}  // namespace
}  // namespace slurm_adopt::test
