// SPDX-License-Identifier: GPL-2.0-or-later
// A morning: hundreds of logins in the same moment on a node that is full of jobs.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "many_jobs.h"
#include "nodes.h"
#include "storm.h"
#include "support/fault_table.h"

namespace slurm_adopt::e2e {
namespace {

constexpr int with_ten_jobs = 19;  // load1 to load19
constexpr int with_one_job = 10;   // load20 to load29
constexpr int by_ssh = 40;
constexpr int without_job = 40;
constexpr int all_logins = 500;
constexpr double timeout_ms = 10000;  // the module's default

std::string load_user(int number)
{
    return "load" + std::to_string(number + 1);
}

std::vector<std::pair<std::string, int>> two_hundred_jobs()
{
    std::vector<std::pair<std::string, int>> counts;
    for (int i = 0; i < with_ten_jobs + with_one_job; ++i) counts.emplace_back(load_user(i), i < with_ten_jobs ? 10 : 1);
    return counts;
}

// The users of the logins that are made by libpam alone, those without a job between the others.
std::vector<std::string> five_hundred_users()
{
    std::vector<std::string> users;
    for (int i = 0; i < all_logins - by_ssh; ++i) {
        const bool jobless = i % 11 == 0 && i / 11 < without_job;
        users.push_back(jobless ? (i % 2 == 0 ? "alice" : "carol") : load_user(i % (with_ten_jobs + with_one_job)));
    }
    return users;
}

// Which job a user's logins went to. Not always to the same one: a slurmstepd that does not answer for a while, on a node
// with hundreds of busy processes, is passed over for another of the user's.
class Places {
public:
    explicit Places(const ManyJobs& jobs) : jobs_(jobs) {}

    void add(const std::string& user, std::uint32_t job)
    {
        const auto owner = jobs_.users().find(job);
        EXPECT_TRUE(owner != jobs_.users().end() && owner->second == user) << user << " is in job " << job;
        ++places_[user][job];
        ++placed_;
    }
    int placed() const { return placed_; }
    std::size_t users() const { return places_.size(); }
    int passed_over() const
    {
        int count = placed_;
        for (const auto& [user, jobs] : places_)
            count -= std::max_element(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->second;
        return count;
    }

private:
    const ManyJobs& jobs_;
    std::map<std::string, std::map<std::uint32_t, int>> places_;  // how many logins
    int placed_ = 0;
};

TEST(Storm, FiveHundredLoginsAtOnce)
{
    const ManyJobs jobs(two_hundred_jobs());
    ASSERT_EQ(jobs.users().size(), 200U);
    const std::string options = "strict helper=" + helper_copy();
    const Stack stack("storm", storm_stack(options));
    const Stack sshd("sshd", sshd_stack({account_line(options)}));

    const LogMark mark;
    const std::vector<std::string> users = five_hundred_users();
    StormAtOnce storm("storm", users);
    std::vector<std::unique_ptr<Background>> clients;
    for (int i = 0; i < by_ssh; ++i) {
        Command command = ssh_command(load_user(i % (with_ten_jobs + with_one_job)), "cat /proc/self/cgroup", {"-oConnectTimeout=60"});
        clients.push_back(std::make_unique<Background>(command));
    }
    storm.let_go();

    Places places(jobs);
    std::vector<double> times;
    int refused = 0;
    const std::vector<StormLogin> logins = storm.wait();
    for (std::size_t i = 0; i < logins.size(); ++i) {
        const StormLogin& login = logins[i];
        times.push_back(login.took_ms);
        if (users[i].starts_with("load")) {
            EXPECT_EQ(login.result, PAM_SUCCESS) << users[i] << " after " << login.took_ms << " ms";
            places.add(users[i], login.job);
        } else {
            EXPECT_EQ(login.result, PAM_PERM_DENIED) << users[i];
            EXPECT_EQ(login.job, 0U) << users[i];
            refused += login.result == PAM_PERM_DENIED ? 1 : 0;
        }
    }
    std::vector<double> ssh_times;
    for (std::size_t i = 0; i < clients.size(); ++i) {
        const Finished session = clients[i]->wait(std::chrono::seconds{60});
        EXPECT_TRUE(session.ok()) << session.code << ' ' << session.err;
        places.add(load_user(static_cast<int>(i) % (with_ten_jobs + with_one_job)), job_in(session.out));
        ssh_times.push_back(static_cast<double>(session.took.count()));
    }
    EXPECT_EQ(places.placed(), all_logins - without_job);
    EXPECT_EQ(refused, without_job);
    EXPECT_EQ(places.users(), static_cast<std::size_t>(with_ten_jobs + with_one_job));
    std::printf("account and session phase: %s\nwhole ssh commands: %s\nnot in the job of the user's most logins: %d\n",
                distribution(times).c_str(), distribution(ssh_times).c_str(), places.passed_over());
    ASSERT_FALSE(HasFailure());
    slurm_adopt::test::report_fault({.part = "storm",
                                     .fault = "500 logins at once, 40 of them by ssh, 200 jobs of 29 users; the longest login",
                                     .expected = "each in a job of its user, 40 without a job refused",
                                     .bound_ms = timeout_ms},
                                    *std::max_element(times.begin(), times.end()));
}

}  // namespace
}  // namespace slurm_adopt::e2e
