// SPDX-License-Identifier: GPL-2.0-or-later
// import_env=: what a session gets of a job's process, and what it does not, whatever the user has made of that process.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "mount_namespace.h"
#include "node_test.h"
#include "slurm_adopt/reading_lock.h"
#include "support/forked.h"
#include "support/locked_process.h"
#include "support/private_run.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

bool is_the_users(uid_t uid)
{
    return ::setresgid(uid, uid, uid) == 0 && ::setresuid(uid, uid, uid) == 0;
}

// This process's environ is there from now on: prctl(2), PR_SET_MM_MAP. All else as it is (proc_pid_stat(5)).
bool is_environ(const char* begin, std::size_t size)
{
    std::ifstream file("/proc/self/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    std::istringstream fields(stat.substr(stat.rfind(") ") + 4));
    std::vector<std::uint64_t> values(3);  // of the first fields: an index is one less than the manual's number
    for (std::uint64_t value = 0; fields >> value;) values.push_back(value);
    if (values.size() <= 51) return false;
    prctl_mm_map map{};
    map.start_code = values[25], map.end_code = values[26], map.start_stack = values[27];
    map.start_data = values[44], map.end_data = values[45], map.start_brk = values[46];
    map.brk = reinterpret_cast<std::uintptr_t>(::sbrk(0));
    map.arg_start = values[47], map.arg_end = values[48];
    map.env_start = reinterpret_cast<std::uintptr_t>(begin);
    map.env_end = map.env_start + size;
    map.exe_fd = static_cast<std::uint32_t>(-1);
    return ::prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == 0;
}

class ImportEnv : public NodeTest {
protected:
    struct Task {
        std::string cgroup = "step_batch";  // below the job's
        uid_t uid = alice;
        bool is_roots = false;  // but for its effective id
    };

    std::string job_of(const FakeStepd& stepd) const
    {
        const std::string& adopted = stepd.step().adopted;
        return adopted.substr(0, adopted.rfind("/step_extern"));
    }

    // A process of the job, whose environ is this to the byte. Not a program of its own: no program can have such ones.
    pid_t run(const FakeStepd& stepd, const std::string& block, const Task& task)
    {
        const std::string directory = job_of(stepd) + '/' + task.cgroup;
        std::filesystem::create_directories(directory);
        Ready ready;
        tasks_.emplace_back([&] {
            if (!is_environ(block.data(), block.size()) || !move_to_cgroup(directory, 0) ||
                (task.is_roots ? ::seteuid(task.uid) != 0 : !is_the_users(task.uid)))
                return false;
            if (!ready.tell()) return false;
            for (;;) (void)::pause();
            return true;
        });
        EXPECT_TRUE(ready.wait()) << "the process of the job has not begun";
        return tasks_.back().pid();
    }
    pid_t run(const FakeStepd& stepd, const std::string& block) { return run(stepd, block, Task()); }

    Outcome import(const std::string& patterns = "SLURM_*,CUDA_*", Login login = {})
    {
        login.options.insert(login.options.end(), {"strict", "import_env=" + patterns});
        return log_in(login);
    }
    // All that is known for sure comes first.
    std::vector<std::string> with_known(std::vector<std::string> more, const std::string& job = "7") const
    {
        more.insert(more.begin(),
                    {"SLURM_JOB_ID=" + job, "SLURM_JOB_UID=" + std::to_string(alice), "SLURM_NODENAME=" + tree_.node()});
        return more;
    }
    static void expect_adopted(const Outcome& outcome)
    {
        EXPECT_EQ(outcome.code, "success");
        ASSERT_FALSE(outcome.log.empty());
        EXPECT_EQ(outcome.log.back(), decided("info adopt one_job", 1, 7, "yes", "closed"));
        EXPECT_EQ(outcome.complaints, "");
    }

    void SetUp() override { ASSERT_TRUE(run_.works()) << "these tests need root"; }

    const PrivateRun run_;
    // Before the slurmstepds, and before the cgroups.
    std::list<Forked> tasks_;
};

std::string entry(const std::string& text)
{
    return text + '\0';
}

TEST_F(ImportEnv, WhatTheBatchScriptHas)
{
    for (const Layout layout : {Layout::v1, Layout::v2, Layout::v2_sluid}) {
        const FakeStepd& stepd = start(7, {}, layout);
        (void)run(stepd,
                  entry("SLURM_JOB_ID=7") + entry("PATH=/evil") + entry("SLURM_CPUS_ON_NODE=2") + entry("HOME=/evil") +
                      entry("CUDA_VISIBLE_DEVICES=1"),
                  {.cgroup = layout == Layout::v1 ? "step_batch" : "step_batch/user/task_0"});
        const Outcome outcome = import();
        expect_adopted(outcome);
        EXPECT_EQ(outcome.log.size(), 1U);
        EXPECT_EQ(outcome.environment, with_known({"SLURM_CPUS_ON_NODE=2", "CUDA_VISIBLE_DEVICES=1"}));
        EXPECT_EQ(import("CUDA_VISIBLE_DEVICES").environment,
                  (std::vector<std::string>{"SLURM_JOB_ID=7", "CUDA_VISIBLE_DEVICES=1"}));
        EXPECT_EQ(import("NOTHING").environment, std::vector<std::string>{"SLURM_JOB_ID=7"});
        EXPECT_EQ(log_in({.options = {"strict"}}).environment, std::vector<std::string>{"SLURM_JOB_ID=7"});
        tasks_.clear();
        end_all();
    }
}

TEST_F(ImportEnv, TheBatchStepBeforeTheOldest)
{
    const FakeStepd& stepd = start(7);
    const std::string job = entry("SLURM_JOB_ID=7");
    (void)run(stepd, job + entry("SLURM_A=ten"), {.cgroup = "step_10"});
    EXPECT_EQ(import("SLURM_A").environment.back(), "SLURM_A=ten");
    (void)run(stepd, job + entry("SLURM_A=nine"), {.cgroup = "step_9"});
    EXPECT_EQ(import("SLURM_A").environment.back(), "SLURM_A=nine");
    std::this_thread::sleep_for(30ms);  // the clock of start times ticks a hundred times a second
    (void)run(stepd, job + entry("SLURM_A=later"), {.cgroup = "step_9"});
    EXPECT_EQ(import("SLURM_A").environment.back(), "SLURM_A=nine");
    (void)run(stepd, job + entry("SLURM_A=interactive"), {.cgroup = "step_interactive"});
    EXPECT_EQ(import("SLURM_A").environment.back(), "SLURM_A=interactive");
    (void)run(stepd, job + entry("SLURM_A=batch"), {.cgroup = "step_batch"});
    EXPECT_EQ(import("SLURM_A").environment.back(), "SLURM_A=batch");
}

TEST_F(ImportEnv, AJobWithoutStepsHasWhatIsKnown)
{
    (void)start(7);
    const Outcome outcome = import();
    expect_adopted(outcome);
    EXPECT_EQ(outcome.environment, with_known({}));
    EXPECT_EQ(import("SLURM_JOB_UID").environment,
              (std::vector<std::string>{"SLURM_JOB_ID=7", "SLURM_JOB_UID=" + std::to_string(alice)}));
}

TEST_F(ImportEnv, OnlyAProcessOfTheUsersInTheJob)
{
    const FakeStepd& stepd = start(7);
    const std::string block = entry("SLURM_JOB_ID=7") + entry("SLURM_A=wrong");
    (void)run(stepd, block, {.cgroup = "step_batch", .uid = bob});
    (void)run(stepd, block, {.cgroup = "step_batch", .uid = 0});  // slurmstepd's
    (void)run(stepd, block, {.cgroup = "step_extern"});           // another login
    (void)run(stepd, block, {.cgroup = "elsewhere"});
    (void)run(stepd, block, {.cgroup = "../job_8/step_batch"});
    EXPECT_EQ(import().environment, with_known({}));
    // Nor one that has not begun its program: its environ is slurmd's. Nor one that is another job's by its own word.
    (void)run(stepd, entry("SLURM_A=wrong"));
    (void)run(stepd, entry("SLURM_JOB_ID=8") + entry("SLURM_A=wrong"));
    (void)run(stepd, entry("SLURM_JOB_ID=8") + entry("SLURM_JOB_ID=7") + entry("SLURM_A=wrong"));
    EXPECT_EQ(import().environment, with_known({}));
    (void)run(stepd, entry("SLURM_JOB_ID=6") + entry("SLURM_HET_SIZE=2") + entry("SLURM_A=component"));
    EXPECT_EQ(import("SLURM_A").environment.back(), "SLURM_A=component");
}

TEST_F(ImportEnv, AHostileEnvironDoesNoHarm)
{
    struct Case {
        const char* what;
        std::string block;
        std::vector<std::string> imported;
    };
    const std::string job = entry("SLURM_JOB_ID=7");
    std::string megabyte = job + entry("SLURM_FIRST=1");
    while (megabyte.size() < 1'000'000)
        megabyte += entry("SLURM_X" + std::to_string(megabyte.size() % 100) + '=' + std::string(5000, 'x'));
    const std::vector<Case> cases = {
        {"newline, escape, control",
         job + entry("SLURM_A=x\ny") + entry("SLURM_B=\x1b]0;evil\a") + entry("SLURM_C=\r") + entry("SLURM_D=ok"),
         {"SLURM_D=ok"}},
        {"names",
         job + entry("SLURM_A B=1") + entry("SLURM_\x1b=1") + entry("SLURM_\n=1") + entry("=1") + entry("SLURM_") +
             entry(""),
         {}},
        {"twice",
         job + entry("SLURM_A=1") + entry("SLURM_A=2") + entry("SLURM_JOB_ID=8") + entry("SLURM_JOB_UID=0"),
         {"SLURM_A=1"}},
        {"no UTF-8",
         job + entry("SLURM_A=\xff\xfe") + entry("SLURM_B=\xc3") + entry("SLURM_C=\xc3\xa4"),
         {"SLURM_C=\xc3\xa4"}},
        {"cut", job + "SLURM_A=1", {}},
        {"empty", "", {}},
        {"NULs", std::string(5000, '\0'), {}},
        {"denied",
         job + entry("LD_PRELOAD=/evil.so") + entry("BASH_ENV=/evil") + entry("PATH=/evil") + entry("SLURM_CONF=/evil") +
             entry("SLURM_TASK_PROLOG=/evil"),
         {}},
    };
    for (const Case& each : cases) {
        const FakeStepd& stepd = start(7);
        (void)run(stepd, each.block);
        const Outcome outcome = import("SLURM_*,LD_*,LD_PRELOAD,BASH_ENV,PATH,P*,B*,L*");
        expect_adopted(outcome);
        EXPECT_EQ(outcome.environment, with_known(each.imported)) << each.what;
        tasks_.clear();
        end_all();
    }
    const FakeStepd& stepd = start(7);
    (void)run(stepd, megabyte);
    const Outcome outcome = import("SLURM_*");
    expect_adopted(outcome);
    std::size_t size = 0;
    for (const std::string& variable : outcome.environment) size += variable.size() + 1;
    EXPECT_LT(size, 66'000U);
    EXPECT_NE(std::find(outcome.environment.begin(), outcome.environment.end(), "SLURM_FIRST=1"), outcome.environment.end());
    EXPECT_LT(outcome.milliseconds, 200);
}

// Processes that begin and end all the time, before and while they are read: the login goes on, with what it has found.
TEST_F(ImportEnv, NothingIsLostWhereProcessesEndMeanwhile)
{
    const FakeStepd& stepd = start(7);
    const std::string block = entry("SLURM_JOB_ID=7") + entry("SLURM_A=short");
    const std::string batch = job_of(stepd) + "/step_batch";
    std::filesystem::create_directories(batch);
    (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=long"), {.cgroup = "step_0"});
    tasks_.emplace_back([&] {
        for (;;) {
            const Forked shortlived(
                [&] { return is_environ(block.data(), block.size()) && move_to_cgroup(batch, 0) && is_the_users(alice); });
            siginfo_t info{};
            if (::waitid(P_PID, static_cast<id_t>(shortlived.pid()), &info, WEXITED | WNOWAIT) != 0) return false;
        }
    });
    for (int i = 0; i < 60; ++i) {
        const Outcome outcome = import("SLURM_A");
        expect_adopted(outcome);
        ASSERT_FALSE(outcome.environment.empty());
        EXPECT_EQ(outcome.environment.front(), "SLURM_JOB_ID=7");
        EXPECT_LT(outcome.milliseconds, 500);
        const std::string& last = outcome.environment.back();
        EXPECT_TRUE(last == "SLURM_A=long" || last == "SLURM_A=short") << last;
    }
}

// One alone, and one beside another, of which the older one is to be found.
TEST_F(ImportEnv, WhoseMemoryIsLockedCostsAThirdOfASecondAndNothingElse)
{
    const FakeStepd& stepd = start(7);
    const std::string batch = job_of(stepd) + "/step_batch";
    std::filesystem::create_directories(batch);
    const LockedProcess locked([&] { return move_to_cgroup(batch, 0) && is_the_users(alice); });
    ASSERT_TRUE(locked.is_locked()) << "no /dev/fuse: a file that cannot be closed cannot be had here";
    for (const bool alone : {true, false}) {
        if (!alone) (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=1"));
        const Outcome outcome = import();
        expect_adopted(outcome);
        EXPECT_EQ(outcome.environment, with_known({})) << alone;
        EXPECT_EQ(outcome.log.front(), "warning job 7: import_env: no answer in time; the session has none of its variables") << alone;
        EXPECT_GT(outcome.milliseconds, 290) << alone;
        EXPECT_LT(outcome.milliseconds, 700) << alone;
    }
}

TEST_F(ImportEnv, NotAProcessThatIsOnlyByItsEffectiveIdTheUsers)
{
    const FakeStepd& stepd = start(7);
    (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=slurmstepd's"), {.is_roots = true});
    EXPECT_EQ(import().environment, with_known({}));
    (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=theirs"));
    EXPECT_EQ(import("SLURM_A").environment.back(), "SLURM_A=theirs");
}

// It is read while slurmstepd is at the adoption: where that comes to nothing, nobody waits for it.
TEST_F(ImportEnv, WhatHasBegunEndsWithAnAdoptionThatFails)
{
    const FakeStepd& stepd = start(7, {.adopt_result = 1, .moves = false});
    const std::string batch = job_of(stepd) + "/step_batch";
    const auto expect_refused = [&] {
        const Outcome outcome = import();
        EXPECT_EQ(outcome.code, "perm_denied");
        EXPECT_EQ(outcome.environment, std::vector<std::string>());
        EXPECT_NE(outcome.log.back().find("adopt_refused"), std::string::npos) << outcome.log.back();
        EXPECT_EQ(outcome.complaints, "");
        // A killed child is waited for no longer than a tenth of a second, in each of two looks for the job.
        EXPECT_LT(outcome.milliseconds, 1000);
    };
    (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=1"));
    expect_refused();
    tasks_.clear();
    const LockedProcess locked([&] { return move_to_cgroup(batch, 0) && is_the_users(alice); });
    ASSERT_TRUE(locked.is_locked()) << "no /dev/fuse: a file that cannot be closed cannot be had here";
    expect_refused();
    const Fd locks = open_reading_locks(environ_readings);
    EXPECT_FALSE(has_hanging_reading(locks, alice)) << "a child that could be killed";
}

TEST_F(ImportEnv, NothingThatPamHasSetIsReplaced)
{
    const FakeStepd& stepd = start(7);
    (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=theirs") + entry("SLURM_EMPTY=theirs") + entry("SLURM_B=2"));
    const std::vector<std::string> before = {"SLURM_A=ours", "SLURM_EMPTY=", "SLURM_JOB_UID=1"};
    std::vector<std::string> after = before;
    after.insert(after.end(), {"SLURM_JOB_ID=7", "SLURM_NODENAME=" + tree_.node(), "SLURM_B=2"});
    EXPECT_EQ(import("SLURM_*", {.environment = before}).environment, after);
}

TEST_F(ImportEnv, TheSessionPhaseTakesWhatTheAccountPhaseHasNot)
{
    const FakeStepd& stepd = start(7);
    (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=1"));
    EXPECT_EQ(import("SLURM_A", {.phases = Phases::session}).environment,
              (std::vector<std::string>{"SLURM_JOB_ID=7", "SLURM_A=1"}));
    // Another module has moved the process: it is adopted again, and the variables are there.
    const auto moved = import("SLURM_A", {.phases = Phases::both, .between = leave_cgroups});
    EXPECT_EQ(moved.environment, (std::vector<std::string>{"SLURM_JOB_ID=7", "SLURM_A=1"}));
    // What sshd has brought from its child is not read again.
    EXPECT_EQ(import("SLURM_A", {.phases = Phases::session, .environment = {"SLURM_JOB_ID=7"}}).environment,
              std::vector<std::string>{"SLURM_JOB_ID=7"});
    // And where that job has ended since, nothing of it stays.
    const auto other =
        import("SLURM_A,SLURM_OLD",
               {.phases = Phases::session, .environment = {"SLURM_JOB_ID=6", "SLURM_OLD=6", "SLURM_A=6", "KEPT=1"}});
    EXPECT_EQ(other.environment, (std::vector<std::string>{"SLURM_JOB_ID=7", "KEPT=1", "SLURM_A=1"}));
}

TEST_F(ImportEnv, IsReadByWhatWasInSightBeforeANamespaceWasJoined)
{
    std::string name;
    const Fd offered = mount_namespace(name, [] {
        return ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               ::mount("none", "/sys/fs/cgroup", "tmpfs", 0, nullptr) == 0;
    });
    ASSERT_TRUE(offered);
    const FakeStepd& stepd = start(7, {.namespaces = {{0, offered.get()}}});
    (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=1"));
    const Outcome outcome = import("SLURM_A", {.phases = Phases::both});
    EXPECT_EQ(outcome.mount_namespace, name);
    EXPECT_EQ(outcome.environment, (std::vector<std::string>{"SLURM_JOB_ID=7", "SLURM_A=1"}));
}

// A child that hangs in reading it may not be to be killed: the next login leaves none beside it (reading_lock.h).
TEST_F(ImportEnv, NoReadingBesideOneThatHangs)
{
    std::string name;
    const Fd offered = mount_namespace(name, [] {
        return ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 && ::mount("none", "/run", "tmpfs", 0, nullptr) == 0;
    });
    ASSERT_TRUE(offered);
    const std::vector<std::string> without = {"SLURM_JOB_ID=7"};
    const std::vector<std::string> with = {"SLURM_JOB_ID=7", "SLURM_A=1"};
    for (const bool has_namespace : {false, true}) {
        SCOPED_TRACE(has_namespace ? "a job with a /run of its own" : "a job without namespaces");
        StepdScript script;
        if (has_namespace) script.namespaces = {{0, offered.get()}};
        const FakeStepd& stepd = start(7, script);
        (void)run(stepd, entry("SLURM_JOB_ID=7") + entry("SLURM_A=1"));
        Fd locks = open_reading_locks(environ_readings);
        ASSERT_TRUE(locks);
        mark_hanging_reading(locks, alice);
        const Outcome outcome = import("SLURM_A");
        expect_adopted(outcome);
        EXPECT_EQ(outcome.environment, without);
        EXPECT_EQ(outcome.log.front(), "warning job 7: import_env: an earlier login still hangs in reading a process's environ; the "
                                       "session has none of its variables");
        EXPECT_LT(outcome.milliseconds, 200) << "nothing is waited for";
        locks = open_reading_locks(environ_readings);
        mark_hanging_reading(locks, bob);
        EXPECT_EQ(import("SLURM_A").environment, with) << "somebody else's";
        tasks_.clear();
        end_all();
    }
}

}  // namespace
}  // namespace slurm_adopt::test
