// SPDX-License-Identifier: GPL-2.0-or-later
// Memory that runs out, at the first allocation of a login, the second, ... to the last: never a crash, never in
// unconfined under strict, root always through.
#include "failing_memory.h"
#include "fake_pam.h"
#include "fake_users.h"
#include "in_child.h"
#include "mount_namespace.h"
#include "node_test.h"
#include "phases.h"
#include "support/fault_table.h"
#include "support/forked.h"
#include "support/private_run.h"
#include "support/tcp_client.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <thread>

namespace slurm_adopt::test {
namespace {

constexpr double bound_ms = 1000;  // of one login: nothing is waited for

struct Attempt {
    double milliseconds = 0;
    int code = -1;
    bool inside = false;  // the step of any job
    bool failed = false;  // an allocation did
    std::size_t variables = 0;  // in PAM's environment
    std::string last_line;
};

bool inside_a_step()
{
    std::ifstream file("/proc/self/cgroup");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return text.find("/step_extern") != std::string::npos;
}

// Logs in again and again, with one more allocation granted each time, until nothing fails any more.
// `prepare` is done first, in the process that logs in; what it makes is gone when that has logged in.
std::vector<Attempt> exhaust(const std::string& user, const std::vector<const char*>& options, const std::string& rhost = "192.0.2.7",
                             const std::function<std::shared_ptr<void>()>& prepare = {})
{
    const ChildResult child = in_child([&] {
        const std::shared_ptr<void> prepared = prepare ? prepare() : nullptr;
        std::vector<std::string> lines;
        for (long good = 0; good < 5000; ++good) {
            leave_cgroups();
            pam_handle handle;
            handle.items = {{PAM_USER, user}, {PAM_SERVICE, "sshd"}, {PAM_RHOST, rhost}};
            std::vector<const char*> arguments = options;
            fail_memory_after(good);
            const auto begin = std::chrono::steady_clock::now();
            const int code = account_phase(&handle, 0, static_cast<int>(arguments.size()), arguments.data());
            const bool failed = stop_failing_memory();
            const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
            lines.push_back(std::to_string(code) + ' ' + std::to_string(inside_a_step()) + ' ' + std::to_string(failed) +
                            ' ' + std::to_string(took.count()) + ' ' + std::to_string(handle.environment.size()) + ' ' +
                            (handle.log.empty() ? "" : handle.log.back()));
            if (!failed) break;
        }
        return lines;
    });
    EXPECT_EQ(child.trouble, "") << user << ", attempt " << child.lines.size();
    std::vector<Attempt> attempts;
    for (const std::string& line : child.lines) {
        Attempt attempt;
        std::istringstream words(line);
        words >> attempt.code >> attempt.inside >> attempt.failed >> attempt.milliseconds >> attempt.variables;
        std::getline(words, attempt.last_line);
        attempts.push_back(attempt);
    }
    return attempts;
}

double longest(const std::vector<Attempt>& attempts)
{
    double most = 0;
    for (const Attempt& each : attempts) most = std::max(most, each.milliseconds);
    return most;
}

class MemoryFailure : public NodeTest {};

TEST_F(MemoryFailure, StrictNeverLetsAnUnconfinedUserIn)
{
    (void)start(7, {.display = 10, .xauthority = "/tmp/a-path-that-needs-memory-of-its-own"});
    (void)start(9, {.uid = bob});
    const auto attempts = exhaust("alice", {"strict"});
    ASSERT_GT(attempts.size(), 30U);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const Attempt& each = attempts[i];
        EXPECT_TRUE(each.code == PAM_SUCCESS ? each.inside : each.code == PAM_PERM_DENIED || each.code == PAM_BUF_ERR)
            << "allocation " << i << ": " << each.code;
    }
    EXPECT_EQ(attempts.back().code, PAM_SUCCESS);
    EXPECT_FALSE(attempts.back().failed);
    EXPECT_TRUE(attempts.back().inside);
    report_fault({"system", "operator new fails, from each allocation of a login on, strict", "deny out_of_memory, or adopt one_job", bound_ms},
                 longest(attempts));
}

TEST_F(MemoryFailure, TheDefaultsPassOverAndNeverSaySuccess)
{
    (void)start(7);
    (void)start(8);
    const auto attempts = exhaust("alice", {});
    for (const Attempt& each : attempts)
        EXPECT_TRUE(each.code == PAM_SUCCESS
                        ? each.inside
                        : each.code == PAM_IGNORE || each.code == PAM_PERM_DENIED || each.code == PAM_BUF_ERR)
            << each.code;
    report_fault({"system", "operator new fails, from each allocation of a login on", "ignore out_of_memory, or adopt", bound_ms},
                 longest(attempts));
}

TEST_F(MemoryFailure, WithoutAJobNobodyGetsSuccess)
{
    const std::string list = spool_.write("list", "bob\ncarol\n");
    ASSERT_EQ(::chmod(list.c_str(), 0644), 0);
    const std::string users = "exempt_users=@" + list;
    const std::string groups = "exempt_groups=@" + list;
    const std::string text = "deny_message_file=" + list;
    for (const auto& options : {std::vector<const char*>{"strict"},
                                {users.c_str(), groups.c_str(), "exempt_adopt=1", text.c_str(), "strict"},
                                {},
                                {"nonsense"},
                                {"spool_dir=/nowhere", "strict"},
                                {"exempt_groups=admins", "strict"}})
        for (const Attempt& each : exhaust("alice", options)) {
            EXPECT_NE(each.code, PAM_SUCCESS);
            EXPECT_FALSE(each.inside);
            if (!options.empty() && options.back() == std::string("strict")) {
                EXPECT_NE(each.code, PAM_IGNORE);
            }
            if (!options.empty() && options.back() == std::string("nonsense")) {
                EXPECT_NE(each.code, PAM_IGNORE);
            }
        }
}

TEST_F(MemoryFailure, RootAlwaysPassesThrough)
{
    (void)start(7, {.uid = 0});
    for (const auto& options :
         {std::vector<const char*>{}, {"strict"}, {"nonsense"}, {"strict", "strict"}, {"action_generic_failure=deny"}})
        for (const Attempt& each : exhaust("root", options)) EXPECT_EQ(each.code, PAM_IGNORE);
    const auto attempts = exhaust("root", {"ignore_root=0", "strict"});
    for (const Attempt& each : attempts)
        EXPECT_TRUE(each.code == PAM_IGNORE || (each.code == PAM_SUCCESS && each.inside)) << each.code;
    report_fault({"system", "operator new fails, from each allocation of root's login on", "ignore root", bound_ms}, longest(attempts));
}

TEST_F(MemoryFailure, IsSaidInTheLog)
{
    (void)start(7);
    std::size_t said = 0;
    const auto attempts = exhaust("alice", {"strict"});
    for (const Attempt& each : attempts)
        if (each.last_line.find("decision=deny reason=out_of_memory") != std::string::npos) ++said;
    EXPECT_GT(said, attempts.size() / 2);
}

// Under strict, of every attempt; the last one is a login in which nothing fails.
void expect_confined(const std::vector<Attempt>& attempts, const std::string& reason)
{
    ASSERT_GT(attempts.size(), 30U);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const Attempt& each = attempts[i];
        EXPECT_TRUE(each.code == PAM_SUCCESS ? each.inside : each.code == PAM_PERM_DENIED || each.code == PAM_BUF_ERR)
            << "allocation " << i << ": " << each.code;
        EXPECT_LT(each.milliseconds, bound_ms) << "allocation " << i;
    }
    EXPECT_EQ(attempts.back().code, PAM_SUCCESS);
    EXPECT_FALSE(attempts.back().failed);
    EXPECT_NE(attempts.back().last_line.find("reason=" + reason + ' '), std::string::npos) << attempts.back().last_line;
}

TEST_F(MemoryFailure, WithANamedJob)
{
    const PrivateRun run;
    ASSERT_TRUE(run.works());
    for (const unsigned job : {7U, 8U}) (void)start(job);
    const TempDirectory home;
    std::filesystem::create_directories(home / ".config/slurm-adopt");
    const std::string file = home.write(".config/slurm-adopt/job", "7\n");
    for (const std::string& path : {home.path(), home / ".config", home / ".config/slurm-adopt", file})
        ASSERT_EQ(::lchown(path.c_str(), alice, alice), 0);
    set_home(home.path());
    expect_confined(exhaust("alice", {"strict", "job_choice=file", "choose=file,newest"}), "file_job");
    set_home("");
}

TEST_F(MemoryFailure, WithTheJobsVariables)
{
    const PrivateRun run;
    ASSERT_TRUE(run.works());
    const std::string& adopted = start(7).step().adopted;
    const std::string step = adopted.substr(0, adopted.rfind("/step_extern")) + "/step_batch";
    std::filesystem::create_directories(step);
    Forked task([&] {
        const char* const variables[] = {"SLURM_JOB_ID=7", "SLURM_A=1", "SLURM_B=a value that needs memory of its own, as it is so long", nullptr};
        if (!move_to_cgroup(step, 0) || ::setresgid(alice, alice, alice) != 0 || ::setresuid(alice, alice, alice) != 0) return false;
        return ::execle("/bin/sleep", "sleep", "120", nullptr, variables) == 0;
    });
    const auto has_begun = [&] {
        std::ifstream environ("/proc/" + std::to_string(task.pid()) + "/environ");
        return std::string(std::istreambuf_iterator<char>(environ), {}).starts_with("SLURM_JOB_ID=7");
    };
    for (int i = 0; i < 500 && !has_begun(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto attempts = exhaust("alice", {"strict", "import_env=SLURM_*"});
    expect_confined(attempts, "one_job");
    EXPECT_EQ(attempts.back().variables, 5U) << "SLURM_JOB_ID, SLURM_JOB_UID, SLURM_NODENAME and two of the process";
    task.kill();  // before its cgroup
}

TEST_F(MemoryFailure, WithAnotherLoginOfTheClient)
{
    constexpr const char* laptop = "127.0.0.7";
    const TcpListener sshd("127.0.0.1");
    const FakeStepd& older = start(7);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    (void)start(8);
    TcpClient first(sshd, laptop, "127.0.0.1");
    Ready ready;
    Forked other([&] { return ready.tell() && ::pause() == 0; });
    ASSERT_TRUE(ready.wait());
    older.pull_in(other.pid());
    first.accepted.reset();
    const auto connect = [&] { return std::make_shared<TcpClient>(sshd, laptop, "127.0.0.1"); };
    expect_confined(exhaust("alice", {"strict", "sticky=1"}, laptop, connect), "sticky");
    other.kill();
}

std::string own_mount_namespace()
{
    char name[64] = "";
    const ssize_t length = ::readlink("/proc/self/ns/mnt", name, sizeof name);
    return {name, static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

// Slurm's default would pass over: then a session begins in another job's namespaces, or in its own and outside the job.
TEST_F(MemoryFailure, NoUnconfinedSessionBeginsInAJobsNamespaces)
{
    std::string name;
    const Fd of_job = mount_namespace(name);
    (void)start(7, {.version = release_25_11, .namespaces = {{CLONE_NEWNS, of_job.get()}}});
    int joined = 0;
    int denied = 0;
    constexpr int enough = 20;  // how much a login takes depends on how often it has to wait
    int done = 0;               // in a row
    for (long good = 0; good < 5000 && done < enough; ++good) {
        const ChildResult child = in_child([&]() -> std::vector<std::string> {
            pam_handle handle;
            handle.items = {{PAM_USER, "alice"}, {PAM_SERVICE, "sshd"}, {PAM_RHOST, "192.0.2.7"}};
            fail_memory_after(good);
            const int code = account_phase(&handle, 0, 0, nullptr);
            const bool failed = stop_failing_memory();
            return {std::to_string(code), own_mount_namespace() != name ? "outside" : handle.data.empty() ? "joined" : "joined, noted", failed ? "failed" : "done"};
        });
        ASSERT_EQ(child.trouble, "") << "attempt " << good;
        ASSERT_EQ(child.lines.size(), 3U);
        done = child.lines[2] == "done" ? done + 1 : 0;
        if (child.lines[1] == "outside") continue;
        ++joined;
        if (child.lines[0] == std::to_string(PAM_PERM_DENIED)) ++denied;
        // What fails after the adoption has been noted is only the telling: the process is in the job.
        EXPECT_TRUE(child.lines[0] == std::to_string(PAM_PERM_DENIED) || child.lines[1] == "joined, noted") << "attempt " << good << ": " << child.lines[0];
    }
    EXPECT_EQ(done, enough);
    EXPECT_GT(joined, enough);
    EXPECT_GE(denied, 1) << "between the join and its being noted";
    report_fault({"system", "operator new fails after the job's namespaces were joined, Slurm's defaults", "deny out_of_memory, or the login is in the job", 0}, 0);
}

}  // namespace
}  // namespace slurm_adopt::test
