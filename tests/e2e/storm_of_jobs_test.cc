// SPDX-License-Identifier: GPL-2.0-or-later
// Logins while jobs start and end all the time: every session is in a living job of its own user, or refused.
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
#include <map>
#include <memory>
#include <set>
#include <stdexcept>

#include "cluster.h"
#include "login.h"
#include "many_jobs.h"
#include "storm.h"
#include "support/fault_table.h"

namespace slurm_adopt::e2e {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto churn_time = 45s;
constexpr int workers = 8;
constexpr int pause_us = 150'000;  // between the logins of a worker
constexpr int stays = 5;           // every fifth session stays until its job ends it
constexpr unsigned longest_stay_s = 300;

struct User {
    std::string name;
    std::uint32_t uid = 0;
};
constexpr int comers = 20;        // load2 to load21, whose jobs come and go
constexpr int steady = comers;    // load1 has one job all the time
constexpr int jobless = comers + 1;

User user(int number)
{
    if (number == jobless) return {"carol", 2003};
    const int load = number == steady ? 1 : number + 2;
    return {"load" + std::to_string(load), static_cast<std::uint32_t>(2100 + load)};
}

// Short jobs, one after the other; some end by themselves and some are cancelled.
constexpr auto churn_script = R"sh(
for (( ; ; )); do
  user=load$((RANDOM % 20 + 2))
  sbatch --quiet --uid="$user" --mem=100 --chdir=/ --output=/dev/null --wrap "sleep $((RANDOM % 3)).$((RANDOM % 10))"
  ((RANDOM % 4)) || scancel --quiet --user="load$((RANDOM % 20 + 2))"
done)sh";

// What the worker says of one login.
struct Said {
    StormLogin login;
    pid_t pid = 0;
    std::int32_t stays = 0;
};

bool stays_for(const StormLogin& login, int number)
{
    return login.result == PAM_SUCCESS && login.user != steady && number % stays == 0;
}

// A login in a process of its own.
Said log_in_once(int number, int out)
{
    Said said;
    said.login.user = number % 23 == 0 ? jobless : number % 29 == 0 ? steady : number % comers;
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) ::_exit(2);
    said.pid = ::fork();
    if (said.pid == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)::close(out);  // its end is that of all logins
        StormLogin login = log_in_here("storm", user(said.login.user).name);
        login.user = said.login.user;
        (void)!::write(pipe[1], &login, sizeof login);
        (void)::close(pipe[1]);
        // What is refused ends by itself, as sshd's process does; an ending step may have adopted it before.
        if (stays_for(login, number)) (void)::sleep(longest_stay_s);
        ::_exit(0);
    }
    (void)::close(pipe[1]);
    const auto who = said.login.user;
    said.login.result = StormLogin::killed;
    if (StormLogin login; ::read(pipe[0], &login, sizeof login) == sizeof login) said.login = login;
    said.login.user = who;
    (void)::close(pipe[0]);
    said.stays = stays_for(said.login, number) ? 1 : 0;
    if (said.stays == 0) (void)::waitpid(said.pid, nullptr, 0);
    return said;
}

// Logs in until it is told to end, and waits for the sessions that stay.
[[noreturn]] void work(int worker, int out, const Clock::time_point end)
{
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int number = worker; Clock::now() < end; number += workers) {
        const Said said = log_in_once(number, out);
        if (::write(out, &said, sizeof said) != sizeof said) ::_exit(2);
        // As sshd does: a step whose processes nobody reaps cannot end.
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        (void)::usleep(pause_us);
    }
    (void)::close(out);
    while (::wait(nullptr) > 0) {
    }
    ::_exit(0);
}

class Workers {
public:
    explicit Workers(std::chrono::seconds how_long)
    {
        std::array<int, 2> pipe{};
        if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        const auto end = Clock::now() + how_long;
        for (int i = 0; i < workers; ++i) {
            const pid_t pid = ::fork();
            if (pid == 0) work(i, pipe[1], end);
            pids_.push_back(pid);
        }
        (void)::close(pipe[1]);
        in_ = pipe[0];
    }
    ~Workers()
    {
        for (const pid_t pid : pids_) {
            (void)::kill(pid, SIGKILL);
            (void)::waitpid(pid, nullptr, 0);
        }
        (void)::close(in_);
    }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    std::vector<Said> all() const
    {
        std::vector<Said> all;
        for (Said said; ::read(in_, &said, sizeof said) == sizeof said;) all.push_back(said);
        return all;
    }

private:
    std::vector<pid_t> pids_;
    int in_ = -1;
};

// Alive, and no zombie.
bool lives(pid_t pid)
{
    const std::string stat = read_whole("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t name_end = stat.rfind(')');
    return name_end != std::string::npos && stat.compare(name_end, 4, ") Z ") != 0 && stat.compare(name_end, 4, ") X ") != 0;
}

// What the logins came to, and whether each of them may have come to that.
struct Counts {
    int adopted = 0;
    int refused = 0;
    int killed = 0;
    std::set<std::uint32_t> jobs;
    std::vector<double> times;
    std::vector<pid_t> staying;

    void add(const Said& said, const std::map<std::uint32_t, std::string>& jobs_by_slurmctld)
    {
        const StormLogin& login = said.login;
        const User who = user(login.user);
        const bool comes_and_goes = login.user != steady && login.user != jobless;
        if (login.result == StormLogin::killed) {
            EXPECT_TRUE(comes_and_goes) << who.name << " was killed, and no job of his ended";
            ++killed;
            return;
        }
        times.push_back(login.took_ms);
        EXPECT_TRUE(login.result == PAM_SUCCESS || login.result == PAM_PERM_DENIED) << who.name << ": " << login.result;
        EXPECT_FALSE(login.user == steady && login.result != PAM_SUCCESS) << "refused, and his job runs";
        EXPECT_FALSE(login.user == jobless && login.result != PAM_PERM_DENIED) << "let in without a job";
        EXPECT_FALSE(login.result == PAM_SUCCESS && login.job == 0) << who.name << " is outside of every job";
        if (login.job != 0) {
            const auto job = jobs_by_slurmctld.find(login.job);
            EXPECT_EQ(login.owner, who.uid) << who.name << " is in job " << login.job;
            EXPECT_TRUE(job != jobs_by_slurmctld.end() && job->second == who.name) << who.name << " is in job " << login.job;
        }
        if (said.stays != 0) staying.push_back(said.pid);
        if (!comes_and_goes) return;
        ++(login.result == PAM_SUCCESS ? adopted : refused);
        if (login.job != 0) jobs.insert(login.job);
    }
};

TEST(StormOfJobs, StartAndEndAllTheTime)
{
    const ManyJobs steady_job({{user(steady).name, 1}});
    const Stack stack("storm", storm_stack("strict"));
    std::vector<Said> all;
    std::unique_ptr<Workers> logins;
    {
        const Background one({.argv = {"bash", "-c", churn_script}});
        const Background another({.argv = {"bash", "-c", churn_script}});
        logins = std::make_unique<Workers>(churn_time);
        all = logins->all();
    }
    const auto jobs = jobs_in_states("all");
    std::vector<std::string> names;
    for (int i = 0; i < comers; ++i) names.push_back(user(i).name);
    EXPECT_TRUE(end_jobs_of(names));
    const std::string node = run({.argv = {"sinfo", "--noheader", "--format=%T, %E"}}).out;
    std::printf("the node afterwards: %s", node.c_str());
    EXPECT_EQ(node.find("drain"), std::string::npos) << "a step that was adopted into while it was ending does not end";

    Counts counts;
    for (const Said& said : all) counts.add(said, jobs);
    std::printf("%d adopted into %zu jobs, %d refused, %d killed with their job on the way, %zu stayed; %s\n", counts.adopted,
                counts.jobs.size(), counts.refused, counts.killed, counts.staying.size(), distribution(counts.times).c_str());
    // Enough to say something.
    EXPECT_GE(counts.adopted, 60);
    EXPECT_GE(counts.refused, 10);
    EXPECT_GE(counts.jobs.size(), 20U);
    EXPECT_GE(counts.staying.size(), 10U);
    // Their jobs have all ended.
    EXPECT_TRUE(eventually([&] { return std::none_of(counts.staying.begin(), counts.staying.end(), lives); }));
    for (const pid_t pid : counts.staying)
        EXPECT_FALSE(lives(pid)) << "outlives its job: " << pid << " in " << read_whole("/proc/" + std::to_string(pid) + "/cgroup");
    ASSERT_FALSE(HasFailure());
    slurm_adopt::test::report_fault({.part = "storm",
                                     .fault = "8 logins at any time for 45 s while the jobs of 20 users start and end; the longest login",
                                     .expected = "each in a job of its user, and ended with it, or refused",
                                     .bound_ms = 10000},
                                    *std::max_element(counts.times.begin(), counts.times.end()));
}

}  // namespace
}  // namespace slurm_adopt::e2e
