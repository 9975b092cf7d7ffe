// SPDX-License-Identifier: GPL-2.0-or-later
// A day of logins in a minute: nothing may grow, neither in the process that asks PAM nor in Slurm's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "many_jobs.h"
#include "storm.h"
#include "support/fault_table.h"
#include "usage.h"

namespace slurm_adopt::e2e {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int all_logins = 20000;
constexpr int warm_up = 1000;  // of each host: allocators and caches fill once
constexpr int at_once = 8;
constexpr int refused_every = 10;  // carol has no job
constexpr long most_growth_kb = 512;  // 58 bytes a login
// slurmstepd has a thread for each adoption for a second or more, as many as logins come in that time: libc keeps stacks
// and arenas of the most there were at once. One thread for each of 9000 logins would be 73 MB (measured).
constexpr int kept_mappings = 200;
// An arena or a buffer more, once; one for each login would be thousands.
constexpr int few_mappings = 4;
constexpr long kept_kb = 8192;
constexpr int threads_at_rest = 10;

// What a number of logins came to, in one piece through a pipe.
struct Tally {
    int adopted = 0;
    int refused = 0;
    int wrong = 0;  // anything else
    double longest_ms = 0;

    void count(const StormLogin& login, bool has_job)
    {
        const bool right = has_job ? login.result == PAM_SUCCESS && login.job != 0 && login.owner == 2001 : login.result == PAM_PERM_DENIED;
        ++(!right ? wrong : has_job ? adopted : refused);
        longest_ms = std::max(longest_ms, login.took_ms);
    }
};

using Logins = std::function<Tally(int)>;

const char* user_of(int number)
{
    return number % refused_every == 0 ? "carol" : "alice";
}

// All in the process that asks, one handle after the other, as in a server without processes for its clients.
Tally one_after_the_other(int count)
{
    Tally tally;
    for (int i = 0; i < count; ++i) tally.count(log_in_here("storm", user_of(i)), i % refused_every != 0);
    return tally;
}

// Each in a process of its own, as sshd does it, some at once.
Tally in_processes(int count)
{
    Tally tally;
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) ::_exit(2);
    int running = 0;
    const auto finish_one = [&] {
        StormLogin login;
        if (::read(pipe[0], &login, sizeof login) != sizeof login) ::_exit(2);
        tally.count(login, login.user % refused_every != 0);
        int status = 0;
        if (::wait(&status) < 0 || status != 0) ++tally.wrong;
        --running;
    };
    for (int i = 0; i < count; ++i) {
        if (running == at_once) finish_one();
        const pid_t pid = ::fork();
        if (pid == 0) {
            StormLogin login = log_in_here("storm", user_of(i));
            login.user = i;
            ::_exit(::write(pipe[1], &login, sizeof login) == sizeof login ? 0 : 1);
        }
        ++running;
    }
    while (running > 0) finish_one();
    (void)::close(pipe[0]);
    (void)::close(pipe[1]);
    return tally;
}

// A process that logs in as often as it is told, and is idle meanwhile.
class Host {
public:
    explicit Host(const Logins& logins)
    {
        std::array<int, 2> orders{};
        std::array<int, 2> results{};
        if (::pipe2(orders.data(), O_CLOEXEC) != 0 || ::pipe2(results.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        pid_ = ::fork();
        if (pid_ == 0) {
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)::close(orders[1]);
            (void)::close(results[0]);
            for (int count = 0; ::read(orders[0], &count, sizeof count) == sizeof count;) {
                const Tally tally = logins(count);
                if (::write(results[1], &tally, sizeof tally) != sizeof tally) break;
            }
            ::_exit(0);
        }
        (void)::close(orders[0]);
        (void)::close(results[1]);
        orders_ = orders[1];
        results_ = results[0];
    }
    ~Host()
    {
        (void)::kill(pid_, SIGKILL);
        (void)::waitpid(pid_, nullptr, 0);
        (void)::close(orders_);
        (void)::close(results_);
    }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    pid_t pid() const { return pid_; }
    Tally log_in(int count) const
    {
        Tally tally;
        if (::write(orders_, &count, sizeof count) != sizeof count || ::read(results_, &tally, sizeof tally) != sizeof tally)
            throw std::runtime_error("the host of the logins has died");
        return tally;
    }

private:
    pid_t pid_ = -1;
    int orders_ = -1;
    int results_ = -1;
};

class Growth {
public:
    explicit Growth(std::map<std::string, pid_t> processes) : processes_(std::move(processes))
    {
        for (const auto& [name, pid] : processes_) {
            wait_for_rest(pid);
            before_[name] = usage_of(pid);
        }
    }

    void expect_none(const std::string& phase)
    {
        for (const auto& [name, pid] : processes_) {
            const Usage& before = before_.at(name);
            const bool many_threads = name == "slurmstepd of the job";
            wait_for_rest(pid, before.descriptors);
            const Usage after = usage_of(pid);
            std::printf("%s: %s: %s\n", phase.c_str(), name.c_str(), describe(before, after).c_str());
            EXPECT_GT(after.resident_kb, 0) << name << " has died";
            EXPECT_LE(after.descriptors, before.descriptors) << name;
            EXPECT_LE(after.threads, threads_at_rest) << name;
            EXPECT_LE(after.children, before.children) << name;
            EXPECT_LE(after.mappings, before.mappings + (many_threads ? kept_mappings : few_mappings)) << name;
            const long grown = std::max(after.resident_kb - before.resident_kb, after.private_dirty_kb - before.private_dirty_kb);
            EXPECT_LE(grown, many_threads ? kept_kb : most_growth_kb) << name;
            if (!many_threads) most_ = std::max(most_, grown);
        }
    }
    long most() const { return most_; }

private:
    // A thread that ends has its connection until then.
    static void wait_for_rest(pid_t pid, long descriptors = std::numeric_limits<long>::max())
    {
        const auto is_at_rest = [&] {
            const Usage now = usage_of(pid);
            return now.threads <= threads_at_rest && now.descriptors <= descriptors;
        };
        (void)eventually(is_at_rest, std::chrono::seconds{20});
    }

    std::map<std::string, pid_t> processes_;
    std::map<std::string, Usage> before_;
    long most_ = 0;
};

// Everything that is in a job's extern step by the kernel's freezer.
std::string processes_in(const Job& job)
{
    return read_whole("/sys/fs/cgroup/freezer/slurm_" + cluster().node + "/uid_2001/job_" + job.id_text() + "/step_extern/cgroup.procs");
}

TEST(Storm, TwentyThousandLoginsLeaveNothingBehind)
{
    const ManyJobs others({{"bob", 5}});
    const Job job = Job::allocate("alice");
    const Stack stack("storm", storm_stack("strict"));
    // The step's own process: it may come into its cgroup a moment after the job has begun.
    ASSERT_TRUE(eventually([&] { return !processes_in(job).empty(); }));
    const std::string inside = processes_in(job);
    const pid_t slurmd = static_cast<pid_t>(std::stol(read_whole(cluster().directory + "/pid/slurmd")));
    const std::map<std::string, pid_t> slurms = {{"slurmd", slurmd}, {"slurmstepd of another", others.stepds("bob").at(0)}};

    Tally all;
    long grown = 0;
    const std::vector<std::pair<std::string, Logins>> ways = {{"in processes", in_processes}, {"one after the other", one_after_the_other}};
    for (const auto& [way, logins] : ways) {
        const Host host(logins);
        const auto started = Clock::now();
        const auto run = [&, &logins_way = way](int count) {
            const Tally tally = host.log_in(count);
            EXPECT_EQ(tally.wrong, 0) << logins_way;
            all.adopted += tally.adopted;
            all.refused += tally.refused;
            all.longest_ms = std::max(all.longest_ms, tally.longest_ms);
        };
        run(warm_up);
        auto watched = slurms;
        watched["host"] = host.pid();
        // For each request to adopt slurmstepd keeps a thread until the adopted process ends: in the one process that logs
        // in again and again it has one for each login, whoever asked. That is Slurm's, and ends with the process.
        if (way == "in processes") watched["slurmstepd of the job"] = job.stepd();
        Growth growth(watched);
        run(all_logins / 2 - warm_up);
        growth.expect_none(way);
        grown = std::max(grown, growth.most());
        std::printf("%s: %.1f s\n", way.c_str(), std::chrono::duration<double>(Clock::now() - started).count());
    }
    EXPECT_TRUE(eventually([&] { return processes_in(job) == inside; })) << "left in the step: " << processes_in(job);
    EXPECT_EQ(all.adopted + all.refused, all_logins);
    EXPECT_EQ(all.refused, all_logins / refused_every);
    std::printf("longest login %.1f ms; the most that a process grew by: %ld kB\n", all.longest_ms, grown);
    ASSERT_FALSE(HasFailure());
    slurm_adopt::test::report_fault({.part = "storm",
                                     .fault = "20000 logins, half in one process, half in a process each; the longest",
                                     .expected = "no descriptor, thread or process more in host, slurmd, another's slurmstepd, and the job's where "
                                                 "the processes end; in the host at most 512 kB",
                                     .bound_ms = 10000},
                                    all.longest_ms);
}

}  // namespace
}  // namespace slurm_adopt::e2e
