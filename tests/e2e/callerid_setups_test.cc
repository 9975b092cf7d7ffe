// SPDX-License-Identifier: GPL-2.0-or-later
// Caller id on nodes that are set up in other ways, and with many users at once.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

using std::chrono::seconds;

bool is_idle(const std::string& node)
{
    return eventually([&] { return run({.argv = {"sinfo", "-h", "-n", node, "-o", "%t"}}).out == "idle\n"; }, seconds{30});
}

// Another slurm.conf for all daemons, for as long as this lives.
class OtherConf {
public:
    explicit OtherConf(const std::string& more) : before_(read_whole(path)) { change(before_ + more); }
    ~OtherConf() { change(before_); }
    OtherConf(const OtherConf&) = delete;
    OtherConf& operator=(const OtherConf&) = delete;

private:
    static constexpr auto path = "/etc/slurm/slurm.conf";

    static void change(const std::string& text)
    {
        {
            const Stopped first("slurmd.n1");
            const Stopped second("slurmd.n2");
            const Stopped third("slurmd.n3");
            const Stopped slurmctld("slurmctld.n1");  // the first to be started
            write_whole(path, text);
        }
        for (const char* node : {"n1", "n2", "n3"}) (void)is_idle(node_name(node));
    }

    std::string before_;
};

TEST(CallerIdSetups, SeveralSlurmdInOneNetworkNamespace)
{
    const std::string other = node_name("n9") + ".with_dots.and_more";
    const OtherConf conf("NodeName=" + other + " NodeAddr=198.51.100.1 Port=6819 CPUs=16 RealMemory=10000\n"
                         "PartitionName=other Nodes=" + other + " MaxTime=INFINITE State=UP\n");
    std::filesystem::create_directory(cluster().spool + '/' + other);
    Background slurmd(on("n1", {.argv = {"slurmd", "-D", "-N", other}}));
    ASSERT_TRUE(is_idle(other));
    {
        NodesJob on_other("alice", {other}, "other");
        NodesJob on_first("alice", {"n1", "n2"});
        NodesJob newer_on_first("alice", {"n1", "n2"});
        const auto reached = [&](NodesJob& from, const std::string& node) { return job_on(node, from.run("ssh -oBatchMode=yes n1 " + where).out); };
        {
            const Stack sshd("sshd", caller_id_stack("nodename=" + other));
            EXPECT_EQ(reached(on_other, other), on_other.id());
            EXPECT_EQ(reached(on_first, other), on_other.id()) << "the only job of that node";
        }
        {
            const Stack sshd("sshd", caller_id_stack("nodename=" + node_name("n1")));
            EXPECT_EQ(reached(on_first, "n1"), on_first.id());
            EXPECT_EQ(reached(newer_on_first, "n1"), newer_on_first.id());
            EXPECT_EQ(reached(on_other, "n1"), newer_on_first.id()) << "a job of the other node is no source";
        }
    }
    EXPECT_TRUE(is_idle(other));
}

TEST(CallerIdSetups, AConfiglessNode)
{
    const Stack sshd("sshd", caller_id_stack(""));
    {
        const Stopped slurmd("slurmd.n3");
        const Stopped sshd_of_n3("sshd.n3");
        const std::string pid_file = cluster().directory + "/pid/sshd.n3.own";
        const std::string slurmd_pid_file = cluster().directory + "/pid/slurmd." + node_name("n3") + ".own";
        const std::string script = "mount -t tmpfs none /etc/slurm && unset SLURM_CONF && { slurmd -D -N " + node_name("n3") +
                                   " --conf-server 198.51.100.1 & exec /usr/sbin/sshd -D -f " + cluster().directory + "/conf/sshd_config.n3; }";
        auto both = std::make_unique<Background>(on("n3", {.argv = {"unshare", "--mount", "sh", "-c", script}}));
        ASSERT_TRUE(eventually([] { return std::filesystem::exists("/run/slurm/conf/slurm.conf"); }));
        ASSERT_TRUE(is_idle(node_name("n3")));
        ASSERT_TRUE(eventually([&] { return std::filesystem::exists(pid_file); }));
        {
            NodesJob first("alice", {"n1", "n3"});
            NodesJob second("alice", {"n1", "n3"});
            for (NodesJob* job : {&first, &second}) {
                const LogMark mark;
                EXPECT_EQ(job_on("n3", job->run("ssh -oBatchMode=yes n3 " + where).out), job->id());
                EXPECT_EQ(mark.decision("alice")["reason"], "source_job") << mark.decision("alice").line;
            }
        }
        // slurmd has to tell slurmctld of the jobs' end before it is killed.
        EXPECT_TRUE(is_idle(node_name("n3")));
        const std::string configless = "/proc/" + std::to_string(std::stol(read_whole(slurmd_pid_file)));
        both.reset();
        // Killed, it is still in the way of the next one for a moment: by its port.
        EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(configless); }));
    }
    std::filesystem::remove_all("/run/slurm/conf");
    EXPECT_TRUE(is_idle(node_name("n3")));
}

TEST(CallerIdSetups, ManyAtOnceFromTheirOwnJobs)
{
    constexpr int users = 20;
    constexpr int jobs_of_each = 2;
    constexpr int logins_of_each_job = 5;
    // Two cores for 200 logins: seconds pass in which nobody is to blame.
    const Stack sshd("sshd", caller_id_stack("timeout=60 callerid_timeout=60"));
    std::vector<NodesJob> jobs;
    for (int round = 0; round < jobs_of_each; ++round)
        for (int user = 1; user <= users; ++user)
            jobs.emplace_back("load" + std::to_string(user), std::vector<std::string>{"n1", "n2", "n3"});
    struct Login {
        NodesJob* job;
        int number;
        std::string to;
    };
    std::vector<Login> logins;
    for (int i = 0; i < logins_of_each_job; ++i)
        for (NodesJob& job : jobs) {
            const std::string to = logins.size() % 2 == 0 ? "n2" : "n3";
            logins.push_back({&job, job.begin("ssh -oBatchMode=yes -oConnectTimeout=100 " + to + " " + where), to});
        }
    int wrong = 0;
    for (const Login& login : logins) {
        const Finished session = login.job->end(login.number, seconds{120});
        if (job_on(login.to, session.out) == login.job->id()) continue;
        if (++wrong > 5) continue;
        ADD_FAILURE() << "from job " << login.job->id() << " to " << login.to << ": " << session.code << ' ' << session.out << session.err;
    }
    EXPECT_EQ(wrong, 0) << "of " << logins.size();
    EXPECT_EQ(logins.size(), 200U);
}

}  // namespace
}  // namespace slurm_adopt::e2e
