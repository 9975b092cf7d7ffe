// SPDX-License-Identifier: GPL-2.0-or-later
// list against a made-up /proc and made-up cgroups: v1, v2, and 26.05's SLUID.
#include "list/list.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "support/locked_process.h"
#include "support/temp_directory.h"

namespace slurm_adopt::tool {
namespace {

TEST(ListStat, ANameMayHaveAnything)
{
    const std::string tail = " S 41 9 9 0 -1 4194560 1 0 0 0 3 4 0 0 20 0 1 0 123456 999 88 18446744073709551615\n";
    EXPECT_EQ(parse_stat("42 (sshd)" + tail), (ProcessStat{"sshd", 41, 123456}));
    EXPECT_EQ(parse_stat("42 (a) (b) c)" + tail), (ProcessStat{"a) (b) c", 41, 123456}));
    for (const char* wrong :
         {"", "42", "42 (sshd", "42 (sshd) S", "42 )sshd(", "42 (sshd) S x 9 9 0 -1 4 1 0 0 0 3 4 0 0 20 0 1 0 123 9 8"})
        EXPECT_FALSE(parse_stat(wrong)) << wrong;
}

TEST(ListUsage, ForPeople)
{
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    EXPECT_EQ(bytes_text(17ULL << 20), "17 MiB");
    EXPECT_EQ(cpu_text(7'900'000), "0:07");
    EXPECT_EQ(cpu_text(3'723'000'000), "1:02:03");
    EXPECT_EQ(cpu_of_stat("nr 1\nusage_usec 77\nuser_usec 70\n"), 77U);
    EXPECT_FALSE(cpu_of_stat("usage_usec x\n"));
}

class ListTest : public testing::Test {
protected:
    ListTest()
    {
        proc_ = directory_.make_directory("proc");
        roots_.proc = proc_;
        mounts_ = "37 31 0:34 / " + directory_.make_directory("freezer") + " rw - cgroup cgroup rw,freezer\n" +
                  "38 31 0:35 / " + directory_.make_directory("memory") + " rw - cgroup cgroup rw,memory\n" +
                  "39 31 0:36 / " + directory_.make_directory("cpu") + " rw - cgroup cgroup rw,cpu,cpuacct\n" +
                  "41 31 0:38 / " + directory_.make_directory("unified") + " rw - cgroup2 cgroup2 rw\n";
    }
    void process(pid_t pid, const std::string& name, pid_t parent, std::uint64_t ticks, const std::string& command)
    {
        const std::string directory = "proc/" + std::to_string(pid) + '/';
        (void)directory_.write(directory + "stat", std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) +
                                                       " 9 9 0 -1 4 1 0 0 0 3 4 0 0 20 0 1 0 " + std::to_string(ticks) +
                                                       " 9 8\n");
        (void)directory_.write(directory + "cmdline", command);
    }
    Result<std::vector<Process>> adopted(const std::vector<CgroupEntry>& step, pid_t slurmstepd) const
    {
        return adopted_processes(roots_, mounts_, step, slurmstepd, 1'000'000'000'000, Deadline::after(std::chrono::minutes{1}));
    }

    test::TempDirectory directory_;
    std::string proc_;
    std::string mounts_;
    Roots roots_;
};

TEST_F(ListTest, WhoHasBeenAdopted)
{
    process(100, "slurmstepd", 1, 10, "slurmstepd: [7.extern]");
    process(101, "sleep", 100, 11, "sleep 100000000");
    process(200, "sshd", 90, 500, "sshd: alice [priv]");
    process(201, "bash", 200, 600, "-bash");
    process(300, "kworker", 2, 700, "");
    const std::vector<CgroupEntry> v1 = {{"memory", "/slurm_n1/uid_1/job_7/step_extern"},
                                         {"freezer", "/slurm_n1/uid_1/job_7/step_extern"}};
    (void)directory_.write("freezer/slurm_n1/uid_1/job_7/step_extern/cgroup.procs", "101\n200\n201\n300\n999\n");
    const std::vector<CgroupEntry> v2 = {{"", "/s.scope/s4ZHM/step_extern"}};
    (void)directory_.write("unified/s.scope/s4ZHM/step_extern/cgroup.procs", "");
    (void)directory_.write("unified/s.scope/s4ZHM/step_extern/slurm/cgroup.procs", "100\n");
    (void)directory_.write("unified/s.scope/s4ZHM/step_extern/user/task_0/cgroup.procs", "101\n");
    (void)directory_.write("unified/s.scope/s4ZHM/step_extern/user/task_special/cgroup.procs", "201\n200\n300\n");
    for (const auto& step : {v1, v2}) {
        const auto found = adopted(step, 100);
        ASSERT_TRUE(found) << found.error().context;
        ASSERT_EQ(found.value().size(), 3U);
        EXPECT_EQ(found.value()[0].pid, 200);
        EXPECT_EQ(found.value()[0].session, 200);
        EXPECT_EQ(found.value()[0].command, "sshd: alice [priv]");
        EXPECT_EQ(found.value()[0].since_ns, 1'000'000'000'000 + 500 * (1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
        EXPECT_EQ(found.value()[1].pid, 201);
        EXPECT_EQ(found.value()[1].session, 200);
        EXPECT_EQ(found.value()[2].command, "[kworker]");
    }
    EXPECT_FALSE(adopted({{"freezer", "/slurm_n1/uid_1/job_8/step_extern"}}, 100));
    EXPECT_FALSE(adopted({}, 100));
}

// As ps and top do by a process that becomes another program for as long as its owner likes.
TEST_F(ListTest, WhoDoesNotLetItselfBeLookedAtIsListed)
{
    const test::LockedProcess locked([] { return ::setresuid(12345, 12345, 12345) == 0; });
    ASSERT_TRUE(locked.is_locked());
    roots_.proc = "/proc";
    const std::string own = std::to_string(::getpid());
    (void)directory_.write("freezer/step/cgroup.procs", std::to_string(locked.pid()) + '\n' + own + '\n');
    (void)::alarm(20);  // dead of it, not hung
    for (const auto deadline : {Deadline::after(std::chrono::minutes{1}), Deadline::after(std::chrono::seconds{0})}) {
        const auto found = adopted_processes(roots_, mounts_, {{"freezer", "/step"}}, 1, 1, deadline);
        ASSERT_TRUE(found) << found.error().context;
        ASSERT_EQ(found.value().size(), 2U);
        const bool first = found.value()[0].pid == ::getpid();
        const Process& odd = found.value()[first ? 1 : 0];
        const Process& usual = found.value()[first ? 0 : 1];
        EXPECT_EQ(odd.pid, locked.pid());
        EXPECT_EQ(odd.parent, ::getpid());
        EXPECT_EQ(odd.session, ::getpid());
        EXPECT_EQ(odd.since_ns, 0);
        EXPECT_EQ(odd.command.front(), '[') << odd.command;
        EXPECT_EQ(usual.since_ns == 0, deadline.passed()) << usual.command;
    }
    (void)::alarm(0);
}

TEST_F(ListTest, WhatWasUsed)
{
    (void)directory_.write("memory/slurm_n1/uid_1/job_7/memory.usage_in_bytes", "4096\n");
    (void)directory_.write("cpu/slurm_n1/uid_1/job_7/cpuacct.usage", "5000000\n");
    const Usage v1 = usage_of(mounts_, {{"freezer", "/slurm_n1/uid_1/job_7"},
                                        {"memory", "/slurm_n1/uid_1/job_7"},
                                        {"cpu,cpuacct", "/slurm_n1/uid_1/job_7"}});
    EXPECT_EQ(v1.memory_bytes, 4096U);
    EXPECT_EQ(v1.cpu_us, 5000U);

    (void)directory_.write("unified/s.scope/job_7/memory.current", "8192\n");
    (void)directory_.write("unified/s.scope/job_7/cpu.stat", "usage_usec 77\nuser_usec 70\n");
    const Usage v2 = usage_of(mounts_, {{"", "/s.scope/job_7"}});
    EXPECT_EQ(v2.memory_bytes, 8192U);
    EXPECT_EQ(v2.cpu_us, 77U);

    const Usage nothing = usage_of(mounts_, {{"freezer", "/slurm_n1/uid_1/job_7"}});
    EXPECT_FALSE(nothing.memory_bytes);
    EXPECT_FALSE(nothing.cpu_us);
}

TEST(ListText, TableAndDocument)
{
    ListedJob job;
    job.step.job_id = 7;
    job.step.node = "n1";
    job.step.owner = 0;
    job.step.owner_by = OwnerBy::kernel;
    job.step.directories = {{"freezer", "/slurm_n1/uid_0/job_7/step_extern"}};
    job.step.began_ns = 1'000'000'000'000'000'000;
    job.step.began_by_cgroup = true;
    job.processes = {{200, 90, 200, "sshd: x\033[2J", 1'000'000'100'000'000'000},
                     {201, 200, 200, "-bash", 1'000'000'100'000'000'000}};
    job.job = {1024, 61'000'000};
    const auto lines = text_of({{job}, {"odd"}});
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_NE(lines[0].find("JOB"), std::string::npos);
    for (const char* part : {"7    root", "1  ", "2  ", "1.0 KiB", "1:01", "/slurm_n1/uid_0/job_7/step_extern"})
        EXPECT_NE(lines[1].find(part), std::string::npos) << part << " in " << lines[1];
    EXPECT_EQ(lines[2].find('\033'), std::string::npos);
    EXPECT_NE(lines[2].find("login 200 since "), std::string::npos);

    const auto json = json_of({{job}, {}});
    EXPECT_EQ(json["jobs"][0]["start"], "2001-09-09T01:46:40Z");
    EXPECT_EQ(json["jobs"][0]["start_by"], "cgroup");
    EXPECT_EQ(json["jobs"][0]["sessions"], 1);
    EXPECT_EQ(json["jobs"][0]["processes"][1]["session"], 200);
    EXPECT_EQ(json["jobs"][0]["used_by_job"]["cpu_us"], 61'000'000);
    EXPECT_EQ(json["jobs"][0]["used_by_logins"]["cpu_us"], nullptr);
    job.processes = {{200, 90, 200, "[sshd]", 0}};
    EXPECT_EQ(text_of({{job}, {}})[2], "  login 200, which does not let itself be looked at: [sshd]");
    EXPECT_EQ(json_of({{job}, {}})["jobs"][0]["processes"][0]["since"], nullptr);
    EXPECT_EQ(text_of({}), std::vector<std::string>{"No extern step runs on this node."});
}

}  // namespace
}  // namespace slurm_adopt::tool
