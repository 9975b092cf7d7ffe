// SPDX-License-Identifier: GPL-2.0-or-later
// What Slurm and the kernel say that a job uses, when a session in it uses something. doc/session.md tells of it.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "cluster.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

constexpr long megabytes = 100;

// A session that holds this much memory, and uses all of a processor until its input ends.
const std::string busy = "exec perl -e '$| = 1; $held = \"x\" x " + std::to_string(megabytes) +
                         "_000_000; print \"busy\\n\"; vec($input, 0, 1) = 1; 1 until select($ready = $input, undef, undef, 0)'";

struct Used {
    long memory_kb = -1;  // the most at once; -1: sstat says nothing
    long cpu_s = -1;

    bool is_idle() const { return memory_kb >= 0 && memory_kb < megabytes * 500; }
};

// What sstat says of a job's extern step.
Used used_by(const NodesJob& job)
{
    const std::vector<std::string> argv = {"sstat", "--noheader", "--parsable2", "--format=MaxRSS,AveCPU", "-j", job.id_text() + ".extern"};
    const Finished sstat = run({.argv = argv});
    Used used;
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    if (std::sscanf(sstat.out.c_str(), "%ldK|%d:%d:%d", &used.memory_kb, &hours, &minutes, &seconds) == 4)
        used.cpu_s = (hours * 60 + minutes) * 60 + seconds;
    return used;
}

// The directory of the memory controller's cgroup that a process is in.
std::string memory_cgroup(pid_t pid)
{
    std::istringstream lines(read_whole("/proc/" + std::to_string(pid) + "/cgroup"));
    for (std::string line; std::getline(lines, line);)
        if (const std::size_t at = line.find(":memory:"); at != std::string::npos) return "/sys/fs/cgroup/memory" + line.substr(at + 8);
    return {};
}

TEST(Accounted, ASessionCountsAsItsJobsExternStep)
{
    const Stack sshd("sshd", caller_id_stack(""));
    const NodesJob job("alice", {"n2"}, "all", {"--mem=400"});
    EXPECT_TRUE(eventually([&] { return used_by(job).is_idle(); })) << used_by(job).memory_kb;
    Background session(ssh_between(outside, "alice", "n2", "echo $$; " + busy));
    ASSERT_TRUE(session.says("busy"));
    EXPECT_TRUE(eventually([&] { return used_by(job).memory_kb > megabytes * 1000; })) << used_by(job).memory_kb;
    EXPECT_TRUE(eventually([&] { return used_by(job).cpu_s >= 1; })) << used_by(job).cpu_s;

    const std::string cgroup = memory_cgroup(static_cast<pid_t>(std::stol(session.output())));
    if (std::filesystem::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")) {
        EXPECT_TRUE(cgroup.ends_with("/job_" + job.id_text() + "/step_extern")) << cgroup;
        EXPECT_GT(std::stol(read_whole(cgroup + "/memory.usage_in_bytes")), megabytes * 1'000'000);
    }

    session.end_input();
    EXPECT_TRUE(session.wait().ok());
    // sstat speaks of those that run; what this one had used is the step's at its end.
    EXPECT_TRUE(eventually([&] { return used_by(job).is_idle(); })) << used_by(job).memory_kb;
}

TEST(Accounted, ASessionThatTakesMoreMemoryThanTheJobHasIsKilled)
{
    if (!std::filesystem::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")) GTEST_SKIP() << "no memory controller of cgroup v1 here";
    const Stack sshd("sshd", caller_id_stack(""));
    const NodesJob job("alice", {"n2"}, "all", {"--mem=60"});
    const Finished session = run(ssh_between(outside, "alice", "n2", "perl -e '$held = \"x\" x 100_000_000; print \"held\"'; echo $?"));
    EXPECT_EQ(session.out, "137\n") << session.err;
}

}  // namespace
}  // namespace slurm_adopt::e2e
