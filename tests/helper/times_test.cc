// SPDX-License-Identifier: GPL-2.0-or-later
// The verb `times`, on cgroups made here.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "helper_process.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;
using namespace helper_wire;
namespace fs = std::filesystem;

// A tree of cgroups like slurmstepd's, with a process in it; gone with the object.
class StepdInCgroup {
public:
    // `below`: where the process is, from the top of the tree that is made.
    StepdInCgroup(const fs::path& hierarchy, const fs::path& job, const fs::path& below) : top_(hierarchy / "slurm_adopt_test")
    {
        std::error_code error;
        job_ = top_ / job;
        made_ = fs::create_directories(job_ / below, error) && fs::exists(job_ / "step_extern" / "cgroup.procs", error);
        if (!made_) return;
        pid_ = ::fork();
        if (pid_ == 0) {
            for (;;) (void)::pause();
        }
        std::ofstream(job_ / below / "cgroup.procs") << pid_ << std::flush;
        std::ifstream members(job_ / below / "cgroup.procs");
        pid_t member = 0;
        made_ = (members >> member) && member == pid_;
    }
    StepdInCgroup(const StepdInCgroup&) = delete;
    StepdInCgroup& operator=(const StepdInCgroup&) = delete;
    ~StepdInCgroup()
    {
        if (pid_ > 0) {
            (void)::kill(pid_, SIGKILL);
            (void)::waitpid(pid_, nullptr, 0);
        }
        std::error_code error;
        std::vector<fs::path> directories{top_};
        for (const auto& entry : fs::recursive_directory_iterator(top_, error))
            if (entry.is_directory(error)) directories.push_back(entry.path());
        for (; !directories.empty(); directories.pop_back()) (void)::rmdir(directories.back().c_str());
    }

    [[nodiscard]] bool made() const { return made_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::int64_t began() const
    {
        struct stat status {};
        EXPECT_EQ(::stat((job_ / "step_extern").c_str(), &status), 0);
        return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    }

private:
    fs::path top_;
    fs::path job_;
    bool made_ = false;
    pid_t pid_ = -1;
};

TimesReply ask_times(const std::vector<pid_t>& pids)
{
    TimesRequest request;
    request.count = static_cast<std::uint32_t>(pids.size());
    std::copy(pids.begin(), pids.end(), request.pids.begin());
    return ask<TimesReply>(Verb::times, request, {});
}

class HelperTimes : public testing::Test {
protected:
    void SetUp() override
    {
        if (!is_root()) GTEST_SKIP() << "needs root";
    }
};

TEST_F(HelperTimes, OfAStepOnCgroupV1)
{
    const StepdInCgroup stepd("/sys/fs/cgroup/freezer", "uid_1000/job_7", "step_extern");
    if (!stepd.made()) GTEST_SKIP() << "no cgroup v1 here, or not writable";
    const TimesReply reply = ask_times({stepd.pid()});
    EXPECT_EQ(reply.count, 1U);
    EXPECT_EQ(reply.began_ns[0], stepd.began());
}

// Slurm 22.05: in the freezer hierarchy the stepd is in the job's directory, above its step_extern.
TEST_F(HelperTimes, OfAStepdAboveItsStep)
{
    const StepdInCgroup stepd("/sys/fs/cgroup/freezer", "uid_1000/job_8", "step_extern/../");
    if (!stepd.made()) GTEST_SKIP() << "no cgroup v1 here, or not writable";
    EXPECT_EQ(ask_times({stepd.pid()}).began_ns[0], stepd.began());
}

TEST_F(HelperTimes, OfAStepOnCgroupV2)
{
    for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        if (!fs::exists(fs::path(mount) / "cgroup.controllers")) continue;
        const StepdInCgroup stepd(mount, "s4ZHM7WXK5QW00", "step_extern/slurm");
        if (!stepd.made()) continue;
        EXPECT_EQ(ask_times({stepd.pid()}).began_ns[0], stepd.began());
        return;
    }
    GTEST_SKIP() << "no cgroup v2 here, or not writable";
}

TEST_F(HelperTimes, AreInNanosecondsAndInTheOrderAsked)
{
    const fs::path mount = fs::exists("/sys/fs/cgroup/freezer") ? "/sys/fs/cgroup/freezer" : "/sys/fs/cgroup";
    const StepdInCgroup first(mount, "uid_1000/job_1", "step_extern/slurm");
    // The kernel takes the time of its last tick, every 10 ms at the least.
    std::this_thread::sleep_for(30ms);
    const StepdInCgroup second(mount, "uid_1000/job_2", "step_extern/slurm");
    if (!first.made() || !second.made()) GTEST_SKIP() << "no writable cgroup here";
    const TimesReply reply = ask_times({second.pid(), ::getpid(), first.pid(), 2'000'000'000});
    EXPECT_EQ(reply.count, 4U);
    EXPECT_EQ(reply.began_ns[0], second.began());
    EXPECT_EQ(reply.began_ns[1], 0) << "in no step";
    EXPECT_EQ(reply.began_ns[2], first.began());
    EXPECT_EQ(reply.began_ns[3], 0) << "no such process";
    EXPECT_LT(reply.began_ns[2], reply.began_ns[0]) << "made one after the other";
}

TEST_F(HelperTimes, OfNothingAndOfAsManyAsCanBeAsked)
{
    EXPECT_EQ(ask_times({}).count, 0U);
    EXPECT_EQ(ask_times(std::vector<pid_t>(most_steps, ::getpid())).count, most_steps);
}

}  // namespace
}  // namespace slurm_adopt::test
