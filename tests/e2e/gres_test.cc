// SPDX-License-Identifier: GPL-2.0-or-later
// GPUs (cluster.sh --gres): a session has the job's, and is refused the others. On two nodes.
#include <gtest/gtest.h>

#include <sstream>

#include "cluster.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

// Which of the node's two GPUs a process can read, a number a line. A refusal has to be the devices cgroup's.
const std::string readable =
    "for i in 0 1; do if e=$(head -c1 /dev/fake-gpu$i 2>&1 >/dev/null); then echo $i; else "
    "case $e in *\"Operation not permitted\") ;; *) echo \"$e\" ;; esac; fi; done";

// And what it was told of them.
const std::string told = "echo $CUDA_VISIBLE_DEVICES $SLURM_JOB_GPUS";

struct Session {
    std::uint32_t job = 0;
    std::string told;
    std::string gpus;   // "0", "1", "0 1" or none
    std::string error;  // of ssh, with what the module logged
};

class Gres : public ::testing::Test {
protected:
    static NodesJob with_gpus(const std::vector<std::string>& nodes, int number)
    {
        return {"alice", nodes, "all", {"--gres=gpu:" + std::to_string(number)}};
    }
#ifdef SLURM_ADOPT_TOOL
    // slurm-adopt use, by alice.
    static void use(const std::string& job)
    {
        const Finished done = run(as_user("alice", {SLURM_ADOPT_TOOL, "use", job}));
        EXPECT_TRUE(done.ok()) << done.err;
    }
#endif

    static Session session_of(const Finished& finished, const LogMark& mark)
    {
        Session session;
        session.error = finished.err + mark.text();
        std::istringstream lines(finished.out);
        std::string line;
        if (std::getline(lines, line)) session.job = job_on("n2", line);
        (void)std::getline(lines, session.told);
        while (std::getline(lines, line)) session.gpus += (session.gpus.empty() ? "" : " ") + line;
        return session;
    }

    // A login to n2, from a host that is no node, or from inside a job.
    static Session from_outside(const std::string& user = "alice")
    {
        const LogMark mark;
        return session_of(run(ssh_between(outside, user, "n2", look_)), mark);
    }
    static Session from(NodesJob& job)
    {
        const LogMark mark;
        return session_of(job.run("ssh -oBatchMode=yes n2 '" + quoted(look_) + "'"), mark);
    }

    static std::string quoted(std::string text)
    {
        for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) text.replace(at, 1, "'\\''");
        return text;
    }

    static inline const std::string look_ = "tr '\\n' ' ' </proc/self/cgroup; echo; " + told + "; " + readable;
    const Stack sshd_{"sshd", caller_id_stack("")};
};

TEST_F(Gres, ASessionHasTheJobsGpuAlone)
{
    EXPECT_EQ(from_outside("root").gpus, "0 1") << "any process can read both";
    const NodesJob first = with_gpus({"n2"}, 1);
    const Session own = from_outside();
    EXPECT_EQ(own.job, first.id()) << own.error;
    EXPECT_EQ(own.gpus, "0") << own.error;
    EXPECT_EQ(own.told, "") << "without import_env";
    EXPECT_EQ(from_outside("root").gpus, "0 1");
}

TEST_F(Gres, NoGpuWithoutOneInTheJobAndAllWithAll)
{
    {
        const NodesJob none("alice", {"n2"});
        const Session session = from_outside();
        EXPECT_EQ(session.job, none.id()) << session.error;
        EXPECT_EQ(session.gpus, "") << session.error;
    }
    const NodesJob both = with_gpus({"n2"}, 2);
    const Session session = from_outside();
    EXPECT_EQ(session.job, both.id()) << session.error;
    EXPECT_EQ(session.gpus, "0 1") << session.error;
}

TEST_F(Gres, TheRightOneOfTwoJobs)
{
    NodesJob first = with_gpus({"n1", "n2"}, 1);
    NodesJob second = with_gpus({"n1", "n2"}, 1);
    for (int round = 0; round < 2; ++round) {
        const Session one = from(first);
        EXPECT_EQ(one.job, first.id()) << one.error;
        EXPECT_EQ(one.gpus, "0") << one.error;
        const Session two = from(second);
        EXPECT_EQ(two.job, second.id()) << two.error;
        EXPECT_EQ(two.gpus, "1") << two.error;
        const Session newest = from_outside();
        EXPECT_EQ(newest.job, second.id()) << newest.error;
        EXPECT_EQ(newest.gpus, "1") << newest.error;
    }
}

#ifdef SLURM_ADOPT_TOOL
TEST_F(Gres, TheOneThatTheUserNames)
{
    const Stack sshd("sshd", caller_id_stack("job_choice=file"));
    NodesJob first = with_gpus({"n1", "n2"}, 1);
    NodesJob second = with_gpus({"n1", "n2"}, 1);
    use(first.id_text());
    const Session one = from_outside();
    EXPECT_EQ(one.job, first.id()) << one.error;
    EXPECT_EQ(one.gpus, "0") << one.error;
    const Session source = from(second);
    EXPECT_EQ(source.job, second.id()) << source.error;
    EXPECT_EQ(source.gpus, "1") << source.error;
    use(second.id_text());
    const Session two = from_outside();
    EXPECT_EQ(two.job, second.id()) << two.error;
    EXPECT_EQ(two.gpus, "1") << two.error;
    use("--clear");
}
#endif

#ifdef SLURM_ADOPT_TOOL
// Slurm counts from 0 in CUDA_VISIBLE_DEVICES where it constrains devices; SLURM_JOB_GPUS has the node's numbers.
TEST_F(Gres, TheVariablesOfTheSameJobEachWay)
{
    const Stack sshd("sshd", caller_id_stack("job_choice=file import_env=CUDA_VISIBLE_DEVICES,SLURM_JOB_GPUS"));
    NodesJob first = with_gpus({"n2"}, 1);
    NodesJob second = with_gpus({"n2"}, 1);
    EXPECT_EQ(first.run(told).out, "0 0\n");
    EXPECT_EQ(second.run(told).out, "0 1\n");
    const auto expect = [](const char* way, const Session& session, const NodesJob& job, const std::string& gpu) {
        EXPECT_EQ(session.job, job.id()) << way << session.error;
        EXPECT_EQ(session.gpus, gpu) << way << session.error;
        EXPECT_EQ(session.told, "0 " + gpu) << way << session.error;
    };
    expect("newest", from_outside(), second, "1");
    expect("caller id", from(first), first, "0");
    expect("caller id", from(second), second, "1");
    use(first.id_text());
    expect("file", from_outside(), first, "0");
    use(second.id_text());
    expect("file", from_outside(), second, "1");
    use("--clear");
}
#endif

}  // namespace
}  // namespace slurm_adopt::e2e
