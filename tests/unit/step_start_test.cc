// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/step_start.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using Starts = std::vector<std::int64_t>;

class StepStartTest : public testing::Test {
protected:
    StepStartTest()
    {
        roots_.proc = directory_.make_directory("proc");
        mounts("37 31 0:34 / " + directory_.make_directory("freezer") + " rw - cgroup cgroup rw,freezer\n" +
               "41 31 0:38 / " + directory_.make_directory("unified") + " rw - cgroup2 cgroup2 rw\n");
    }
    void mounts(const std::string& text) { directory_.write("proc/self/mountinfo", text); }

    // A session whose slurmstepd is where `cgroup` says, and whose socket is this old.
    void session(pid_t pid, const std::string& cgroup, std::int64_t socket_mtime_ns)
    {
        if (!cgroup.empty()) directory_.write("proc/" + std::to_string(pid) + "/cgroup", cgroup);
        StepdSession each;
        each.pid = pid;
        each.candidate.socket_mtime_ns = socket_mtime_ns;
        sessions_.push_back(std::move(each));
    }
    void step(const std::string& name, std::int64_t seconds, long nanoseconds)
    {
        const std::string path = directory_.make_directory(name);
        const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
        ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    }
    // As the account phase does it, without a helper.
    Starts starts() { return step_starts(roots_, sessions_).value_or(socket_starts(sessions_)); }

    test::TempDirectory directory_;
    Roots roots_;
    std::vector<StepdSession> sessions_;
};

TEST_F(StepStartTest, TheMtimeOfTheStepsCgroupToTheNanosecond)
{
    step("freezer/slurm_n1/uid_1/job_7/step_extern", 1000, 123456789);
    step("unified/s.scope/s4ZHM/step_extern", 1000, 123456788);
    session(70, "6:freezer:/slurm_n1/uid_1/job_7\n", 5);
    session(80, "0::/s.scope/s4ZHM/step_extern/slurm\n", 9);
    EXPECT_EQ(starts(), (Starts{1'000'123'456'789, 1'000'123'456'788}));
}

TEST_F(StepStartTest, LikeIsComparedWithLike)
{
    step("freezer/slurm_n1/uid_1/job_7/step_extern", 1000, 0);
    session(70, "6:freezer:/slurm_n1/uid_1/job_7\n", 5);
    session(80, "6:freezer:/slurm_n1/uid_1/job_8\n", 9);  // no such directory: gone meanwhile
    EXPECT_EQ(starts(), (Starts{5, 9})) << "one without: the sockets' times for all";
}

TEST_F(StepStartTest, TheSocketsTimesWhereTheCgroupCannotBeHad)
{
    step("freezer/slurm_n1/uid_1/job_7/step_extern", 1000, 0);
    session(70, "", 5);  // no such process
    EXPECT_EQ(starts(), Starts{5});
    sessions_.clear();
    session(71, "0::/system.slice/slurmd.service\n", 6);  // tracked without cgroups
    EXPECT_EQ(starts(), Starts{6});
    sessions_.clear();
    session(72, "6:freezer:/slurm_n1/uid_1/job_7\n", 7);
    mounts("");
    EXPECT_EQ(starts(), Starts{7});
    roots_.proc = directory_ / "nowhere";
    EXPECT_EQ(starts(), Starts{7});
}

TEST_F(StepStartTest, AnyHierarchyThatIsMountedWillDo)
{
    step("unified/s.scope/job_7/step_extern", 2000, 1);
    session(70, "4:memory:/slurm_n1/uid_1/job_7/step_extern\n0::/s.scope/job_7/step_extern/slurm\n", 5);
    EXPECT_EQ(starts(), Starts{2'000'000'000'001}) << "memory is not mounted here";
}

TEST_F(StepStartTest, NoSessionsNoTimes)
{
    EXPECT_EQ(starts(), Starts{});
}

}  // namespace
}  // namespace slurm_adopt
