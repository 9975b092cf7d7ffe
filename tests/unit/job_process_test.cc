// SPDX-License-Identifier: GPL-2.0-or-later
// Whose environ is taken: files in place of /proc and the cgroups, so that a process is what no real one is for long enough.
#include "slurm_adopt/job_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/private_run.h"
#include "support/temp_directory.h"

namespace slurm_adopt::test {
namespace {

constexpr uid_t alice = 41001;

std::string status_of(const std::string& ids)
{
    return "Name:\tsleep\nState:\tS (sleeping)\nUid:" + ids + "\nGid:\t1\t1\t1\t1\n";
}
const std::string& hers()
{
    static const std::string status = status_of("\t41001\t41001\t41001\t41001");
    return status;
}
constexpr const char* inside = "8:freezer:/slurm/uid_41001/job_7/step_batch\n";

class JobProcess : public ::testing::Test {
protected:
    struct Shown {
        std::string status = hers();
        std::string cgroup = inside;
        std::string environ = "SLURM_JOB_ID=7" + std::string(1, '\0');
        uid_t owner = alice;  // of /proc/<pid>
    };

    void SetUp() override { ASSERT_TRUE(run_.works()) << "these tests need root"; }
    void list(const std::string& pids) const { (void)root_.write("freezer/slurm/uid_41001/job_7/step_batch/cgroup.procs", pids); }
    void show(const std::string& pid, const Shown& shown) const
    {
        const std::string process = "proc/" + pid;
        std::filesystem::remove_all(root_ / process);
        (void)root_.write(process + "/environ", shown.environ);
        if (!shown.status.empty()) (void)root_.write(process + "/status", shown.status);
        if (!shown.cgroup.empty()) (void)root_.write(process + "/cgroup", shown.cgroup);
        (void)root_.write(process + "/stat", pid + " (sleep) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + pid + " 1 1\n");
        ASSERT_EQ(::chown((root_ / process).c_str(), shown.owner, shown.owner), 0);
    }
    // What is read; "none" where nobody has one to give.
    std::string read(std::size_t most = 1000) const
    {
        Roots roots;
        roots.proc = root_ / "proc";
        roots.freezer = root_ / "freezer";
        JobEnvironment environment(roots, {{"freezer", "/slurm/uid_41001/job_7/step_extern"}}, alice, 7, most);
        const auto found = environment.read(Deadline::after(std::chrono::seconds(5)));
        if (!found) return found.error().context;
        return found.value() ? found.value()->bytes.c_str() : "none";
    }

    const PrivateRun run_;
    const TempDirectory root_;
};

TEST_F(JobProcess, ItIsTheUsersAndInTheJobWhenItHasBeenRead)
{
    const std::vector<std::pair<const char*, Shown>> strangers = {
        {"real id", {.status = status_of("\t0\t41001\t41001\t41001")}},
        {"effective id", {.status = status_of("\t41001\t0\t41001\t41001")}},
        {"saved id", {.status = status_of("\t41001\t41001\t0\t41001")}},
        {"file system id", {.status = status_of("\t41001\t41001\t41001\t0")}},
        {"a longer number", {.status = status_of("\t41001\t41001\t41001\t410010")}},
        {"no ids", {.status = "Name:\tsleep\n"}},
        {"has ended", {.status = ""}},
        {"too long a status", {.status = hers() + std::string(20'000, 'x')}},
        {"another job", {.cgroup = "8:freezer:/slurm/uid_41001/job_77/step_batch\n"}},
        {"no job", {.cgroup = "8:freezer:/\n"}},
        {"another hierarchy", {.cgroup = "8:memory:/slurm/uid_41001/job_7/step_batch\n"}},
        {"no cgroups", {.cgroup = ""}},
        {"its own word", {.environ = std::string("SLURM_JOB_ID=8\0", 15)}},
        // An environ may look like what follows it.
        {"ids in the environ", {.status = status_of("\t0\t0\t0\t0"), .environ = std::string("SLURM_JOB_ID=7\0", 15) + hers() + inside}},
        {"owner", {.owner = 41002}},
    };
    for (const auto& [what, shown] : strangers) {
        show("207", shown);
        list("207\n");
        EXPECT_EQ(read(), "none") << what;
        show("300", {});
        list("207\n300\n");
        EXPECT_EQ(read(), "SLURM_JOB_ID=7") << what;
    }
}

TEST_F(JobProcess, ALongEnvironIsCut)
{
    show("207", {.environ = std::string("SLURM_JOB_ID=7\0", 15) + std::string(5000, 'x')});
    list("207\n");
    EXPECT_EQ(read(100), "SLURM_JOB_ID=7");
    EXPECT_EQ(read(10), "none") << "too short to know whose it is";
}

TEST_F(JobProcess, WhatIsListedMayBeNoProcess)
{
    show("207", {});
    list("x\n-1\n../207\n\n208\n207\n");
    EXPECT_EQ(read(), "SLURM_JOB_ID=7");
    list("");
    EXPECT_EQ(read(), "none");
}

}  // namespace
}  // namespace slurm_adopt::test
