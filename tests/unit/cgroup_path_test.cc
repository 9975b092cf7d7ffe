// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/cgroup_path.h"

#include <gtest/gtest.h>

namespace slurm_adopt {

// For readable failures and comparisons.
static bool operator==(const CgroupEntry& a, const CgroupEntry& b)
{
    return a.controllers == b.controllers && a.path == b.path;
}
static void PrintTo(const CgroupEntry& entry, std::ostream* out)
{
    *out << entry.controllers << ':' << entry.path;
}

namespace {

using Entries = std::vector<CgroupEntry>;

Entries directories_of(std::string_view proc_cgroup)
{
    return extern_step_directories(parse_proc_cgroup(proc_cgroup));
}

bool inside(std::string_view process, std::string_view stepd)
{
    return is_inside(parse_proc_cgroup(process), directories_of(stepd));
}

// The slurmstepd of an extern step, as measured (see the header).
constexpr const char* v1_22_05 = "8:pids:/\n"
                                 "6:freezer:/slurm_n1/uid_1000/job_7\n"
                                 "4:memory:/slurm_n1/uid_1000/job_7/step_extern\n"
                                 "3:cpuset:/slurm_n1/uid_1000/job_7/step_extern\n"
                                 "1:name=systemd:/system.slice/slurmd.service\n";
constexpr const char* v2_24_11 = "0::/system.slice/n1_slurmstepd.scope/job_7/step_extern/slurm\n";
constexpr const char* v2_26_05 = "0::/system.slice/node_slurmstepd.scope/s4ZHM7WXK5QW00/step_extern/slurm\n";
constexpr const char* hybrid = "6:freezer:/slurm/uid_1000/job_7\n"
                               "1:name=systemd:/system.slice/slurmd.service\n"
                               "0::/system.slice/slurmd.service\n";

TEST(ProcCgroup, ParsesEveryKindOfLine)
{
    EXPECT_EQ(parse_proc_cgroup("4:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n"),
              (Entries{{"cpu,cpuacct", "/a"}, {"name=systemd", "/b"}, {"", "/c"}}));
    EXPECT_EQ(parse_proc_cgroup("0::/"), (Entries{{"", "/"}})) << "the last line may have no newline";
    EXPECT_EQ(parse_proc_cgroup("0::/a:b:c\n"), (Entries{{"", "/a:b:c"}})) << "a path may have colons";
    EXPECT_EQ(parse_proc_cgroup("0::/a (deleted)\n"), (Entries{{"", "/a (deleted)"}}));
}

TEST(ProcCgroup, LeavesOutWhatIsNoLine)
{
    EXPECT_EQ(parse_proc_cgroup(""), Entries{});
    EXPECT_EQ(parse_proc_cgroup("\n\n:\n::\n0\n0:\n0::\n0::relative\nno colons\n\xff\xfe\n0::/good\n"),
              (Entries{{"", "/good"}}));
    EXPECT_EQ(parse_proc_cgroup(std::string(100000, ':')), Entries{});
    const std::string long_path = '/' + std::string(200000, 'x');
    EXPECT_EQ(parse_proc_cgroup("0::" + long_path + '\n'), (Entries{{"", long_path}}));
}

TEST(ExternStepDirectories, OfEveryRelease)
{
    EXPECT_EQ(directories_of(v1_22_05), (Entries{{"freezer", "/slurm_n1/uid_1000/job_7/step_extern"},
                                                 {"memory", "/slurm_n1/uid_1000/job_7/step_extern"},
                                                 {"cpuset", "/slurm_n1/uid_1000/job_7/step_extern"}}));
    EXPECT_EQ(directories_of(v2_24_11), (Entries{{"", "/system.slice/n1_slurmstepd.scope/job_7/step_extern"}}));
    EXPECT_EQ(directories_of(v2_26_05), (Entries{{"", "/system.slice/node_slurmstepd.scope/s4ZHM7WXK5QW00/step_extern"}}));
    EXPECT_EQ(directories_of(hybrid), (Entries{{"freezer", "/slurm/uid_1000/job_7/step_extern"}}));
}

TEST(ExternStepDirectories, NoneWhereStepsAreTrackedOtherwise)
{
    for (const char* text : {"", "garbage", "0::/system.slice/slurmd.service\n", "6:freezer:/\n0::/\n",
                             "0::/system.slice/n1_slurmstepd.scope/job_7/step_0/slurm\n",
                             "0::/system.slice/n1_slurmstepd.scope/job_7/step_batch/slurm\n"})
        EXPECT_EQ(directories_of(text), Entries{}) << text;
}

TEST(ExternStepDirectories, LookAlikesAreNone)
{
    for (const char* path :
         {"/job_7/step_externX", "/job_7/xstep_extern", "/job_7/step_extern (deleted)", "/step_extern_/slurm",
          "/job_7/Step_extern", "/step_exter", "/a/step_externstep_extern", "/.step_extern/x"})
        EXPECT_EQ(directories_of(std::string("0::") + path + '\n'), Entries{}) << path;
    // Only a job's directory of cgroup v1 stands for the step below it.
    for (const char* path :
         {"/slurm/uid_1000", "/slurm/uid_1000/job_7/step_0", "/slurm/uid_/job_7", "/slurm/uid_1000/job_",
          "/slurm/uid_x/job_7", "/slurm/uid_1000/job_7x", "/slurm/uid_-1/job_7", "/slurm/uid_4294967296/job_7",
          "/slurm/uid_1000/x/job_7", "/slurm/uid_1000/job_7/task_0", "/slurm/uid_1000/job_7 (deleted)"})
        EXPECT_EQ(directories_of(std::string("6:freezer:") + path + '\n'), Entries{}) << path;
    EXPECT_EQ(directories_of("0::/slurm/uid_1000/job_7\n"), Entries{}) << "v2 has no uid directories of Slurm's";
}

TEST(ExternStepDirectories, TheInnermostStepCountsWhereSlurmRunsInsideSlurm)
{
    EXPECT_EQ(
        directories_of("0::/s.scope/job_1/step_extern/user/task_special/n2_slurmstepd.scope/job_7/step_extern/slurm\n"),
        (Entries{{"", "/s.scope/job_1/step_extern/user/task_special/n2_slurmstepd.scope/job_7/step_extern"}}));
    EXPECT_EQ(directories_of("6:freezer:/slurm_a/uid_1/job_1/step_extern/slurm_b/uid_2/job_7/step_extern\n"),
              (Entries{{"freezer", "/slurm_a/uid_1/job_1/step_extern/slurm_b/uid_2/job_7/step_extern"}}));
    EXPECT_EQ(directories_of("0::/job_7/step_extern/step_externX\n"), (Entries{{"", "/job_7/step_extern"}}));
    EXPECT_EQ(directories_of("0::/step_extern\n"), (Entries{{"", "/step_extern"}}));
}

TEST(IsInside, AProcessOfTheStep)
{
    const std::string in_v1 =
        "8:pids:/\n6:freezer:/slurm_n1/uid_1000/job_7/step_extern\n4:memory:/slurm_n1/uid_1000/job_7/step_extern/task_0\n"
        "3:cpuset:/slurm_n1/uid_1000/job_7/step_extern\n1:name=systemd:/\n";
    EXPECT_TRUE(inside(in_v1, v1_22_05));
    EXPECT_TRUE(inside("0::/system.slice/n1_slurmstepd.scope/job_7/step_extern/user/task_special\n", v2_24_11));
    EXPECT_TRUE(inside("0::/system.slice/n1_slurmstepd.scope/job_7/step_extern\n", v2_24_11));
    EXPECT_TRUE(inside("0::/system.slice/node_slurmstepd.scope/s4ZHM7WXK5QW00/step_extern/user/task_special\n", v2_26_05));
    EXPECT_TRUE(inside("6:freezer:/slurm/uid_1000/job_7/step_extern\n0::/user.slice\n", hybrid));
}

TEST(IsInside, NotInTheStep)
{
    for (const char* text : {"", "0::/\n", "0::/system.slice/n1_slurmstepd.scope/job_7\n",
                             "0::/system.slice/n1_slurmstepd.scope/job_7/step_0/user/task_0\n",
                             "0::/system.slice/n1_slurmstepd.scope/job_8/step_extern/user/task_special\n",
                             "0::/system.slice/n1_slurmstepd.scope/job_77/step_extern\n",
                             "0::/system.slice/n1_slurmstepd.scope/job_7/step_externX\n",
                             "0::/system.slice/n1_slurmstepd.scope/job_7/step_extern (deleted)\n",
                             "0::/system.slice/n2_slurmstepd.scope/job_7/step_extern/user\n",
                             "0::/x/system.slice/n1_slurmstepd.scope/job_7/step_extern/user\n",
                             "6:freezer:/system.slice/n1_slurmstepd.scope/job_7/step_extern/user\n",
                             "0::/user.slice/user-1000.slice/session-4.scope\n"})
        EXPECT_FALSE(inside(text, v2_24_11)) << text;
}

TEST(IsInside, EveryHierarchyCounts)
{
    // Frozen and killed with the job, but its memory is not limited: not adopted.
    EXPECT_FALSE(inside("6:freezer:/slurm_n1/uid_1000/job_7/step_extern\n4:memory:/user\n"
                        "3:cpuset:/slurm_n1/uid_1000/job_7/step_extern\n",
                        v1_22_05));
    EXPECT_FALSE(inside("6:freezer:/slurm_n1/uid_1000/job_7/step_extern\n", v1_22_05));
    EXPECT_FALSE(inside("6:freezer:/slurm_n1/uid_1000/job_7\n4:memory:/slurm_n1/uid_1000/job_7/step_extern\n"
                        "3:cpuset:/slurm_n1/uid_1000/job_7/step_extern\n",
                        v1_22_05));
}

TEST(IsInside, NothingToCompareWithIsNotInside)
{
    EXPECT_FALSE(is_inside(parse_proc_cgroup("0::/\n"), {}));
    EXPECT_FALSE(is_inside({}, {}));
    EXPECT_FALSE(inside("0::/system.slice/slurmd.service\n", "0::/system.slice/slurmd.service\n"));
}

TEST(ExternStepDirectories, AMemoryLimitAloneTracksNothing)
{
    // proctrack/linuxproc with task/cgroup and ConstrainRAMSpace, 22.05: limited, but not ended with the job.
    EXPECT_TRUE(extern_step_directories(parse_proc_cgroup("6:freezer:/\n4:memory:/slurm_n1/uid_1000/job_7/step_extern\n"
                                                          "3:cpuset:/slurm_n1/uid_1000/job_7/step_extern\n"))
                    .empty());
    EXPECT_EQ(extern_step_directories(parse_proc_cgroup("6:freezer:/slurm_n1/uid_1000/job_7\n"
                                                        "4:memory:/slurm_n1/uid_1000/job_7/step_extern\n"))
                  .size(),
              2U);
}

TEST(JobDirectories, AreAboveAllSteps)
{
    const auto in_job = [](const char* process, const char* stepd) {
        return is_inside(parse_proc_cgroup(process), job_directories(extern_step_directories(parse_proc_cgroup(stepd))));
    };
    EXPECT_TRUE(in_job("0::/system.slice/n1_slurmstepd.scope/job_7/step_0/user/task_0\n", v2_24_11));
    EXPECT_TRUE(in_job("0::/system.slice/n1_slurmstepd.scope/job_7/step_batch/user/task_0\n", v2_24_11));
    EXPECT_TRUE(in_job("0::/system.slice/n1_slurmstepd.scope/job_7/step_extern/user/task_special\n", v2_24_11));
    for (const char* elsewhere : {"0::/\n", "0::/system.slice/n1_slurmstepd.scope\n", "0::/system.slice/n1_slurmstepd.scope/job_77/step_0\n",
                                  "0::/system.slice/n1_slurmstepd.scope/job_8/step_0\n", "0::/user.slice\n"})
        EXPECT_FALSE(in_job(elsewhere, v2_24_11)) << elsewhere;
    EXPECT_FALSE(in_job("0::/\n", "0::/system.slice/slurmd.service\n")) << "a job that no cgroup tells is nobody's place";
}

TEST(OwnerByPath, IsToldByTheKernelOnCgroupV1Only)
{
    const std::pair<const char*, std::optional<uid_t>> cases[] = {
        {v1_22_05, 1000},
        {hybrid, 1000},
        {v2_24_11, std::nullopt},
        {v2_26_05, std::nullopt},
        {"6:freezer:/slurm/uid_0/job_7\n", 0},
        {"6:freezer:/slurm/uid_4294967294/job_7/step_extern\n", 4294967294U},
        {"6:freezer:/slurm/uid_4294967296/job_7\n", std::nullopt},
        {"6:freezer:/slurm/uid_1000\n", std::nullopt},
        {"6:freezer:/slurm/uid_1000/\n", std::nullopt},
        {"6:freezer:/slurm/uid_ 1/job_7\n", std::nullopt},
        {"6:freezer:/slurm/xuid_1000/job_7\n", std::nullopt},
        {"6:freezer:/slurm/uid_1000x/job_7\n", std::nullopt},
        {"6:freezer:/slurm/uid_1000/jobs_7\n", std::nullopt},
        {"0::/slurm/uid_1000/job_7\n", std::nullopt},  // a user may delegate such names to himself on v2
        {"6:freezer:/slurm_a/uid_1/job_1/step_extern/slurm_b/uid_2/job_7\n", 2},
        {"", std::nullopt},
    };
    for (const auto& [text, owner] : cases) EXPECT_EQ(owner_by_path(parse_proc_cgroup(text)), owner) << text;
}

}  // namespace
}  // namespace slurm_adopt
