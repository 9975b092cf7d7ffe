// SPDX-License-Identifier: GPL-2.0-or-later
// Sockets that a user has named like a slurmstepd's.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "cluster.h"
#include "fake_stepd.h"
#include "job.h"
#include "login.h"
#include "support/fault_table.h"

namespace slurm_adopt::e2e {
namespace {

constexpr uid_t bob = 2002;

std::string bobs_directory()
{
    const std::string directory = cluster().directory + "/home/bob/s";
    std::filesystem::create_directories(directory);
    return directory;
}

std::vector<PlantedSocket> plant(int count)
{
    const std::string directory = bobs_directory();
    std::vector<PlantedSocket> planted;
    for (int i = 0; i < count; ++i)
        planted.emplace_back(directory + '/' + cluster().node + '_' + std::to_string(100000 + i) + ".4294967292", bob);
    return planted;
}

// The shortest of a few: the machine may be busy.
std::chrono::microseconds best_login(const std::string& user)
{
    const Stack stack(transparent_stack("strict service=*"));
    auto best = std::chrono::microseconds::max();
    for (int i = 0; i < 7; ++i) best = std::min(best, pam_login_by("e2e", user).account_took);
    return best;
}

TEST(Planted, AUsersOwnStepdIsIgnoredAndLogged)
{
    const FakeStepd fake({.owner = bob, .runs_as = bob, .directory = bobs_directory()});
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    const LogMark mark;
    EXPECT_EQ(ssh_job("bob"), -1);
    EXPECT_EQ(fake.connections(), 0) << "it must not even learn that somebody logs in";
    EXPECT_EQ(mark.decision("bob")["reason"], "no_jobs");
    const auto lines = mark.lines_with(fake.path());
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("ignored"), std::string::npos) << lines[0];
    test::report_fault({"attacker", "a slurmstepd of a user's own, through sshd", "deny no_jobs, never a word to it", 300},
                       std::stod(mark.decision("bob")["ms"]));
}

TEST(Planted, AFileOfRootsServedByAUserIsIgnored)
{
    // A user who can have root own the file (a rename across a sticky directory, a chown by a careless script).
    const FakeStepd fake({.owner = bob, .runs_as = bob, .directory = bobs_directory()});
    ASSERT_EQ(::chown(fake.path().c_str(), 0, 0), 0);
    const LogMark mark;
    EXPECT_EQ(pam_login("bob", "strict").result, PAM_PERM_DENIED);
    EXPECT_EQ(mark.decision("bob")["reason"], "no_jobs") << mark.decision("bob").line;
    test::report_fault({"attacker", "a slurmstepd of a user's own, its file root's", "deny no_jobs", 300}, std::stod(mark.decision("bob")["ms"]));
}

TEST(Planted, FiveHundredDoNotSlowTheLogin)
{
    const Job job = Job::allocate("alice");
    const auto with_job = best_login("alice");
    const auto without_job = best_login("carol");
    const auto planted = plant(500);
    const auto with_job_then = best_login("alice");
    const auto without_job_then = best_login("carol");
    const auto added = std::max(with_job_then - with_job, without_job_then - without_job);
    test::report_fault({"attacker", "500 sockets that a user has named like steps, on a node of Slurm's own; added, the best of a few", "adopt one_job; deny no_jobs", 25},
                       std::max(0.0, static_cast<double>(added.count()) / 1000));
    RecordProperty("microseconds_before", static_cast<int>(with_job.count()));
    RecordProperty("microseconds_after", static_cast<int>(with_job_then.count()));

    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(job.id()));
    const LogMark mark;
    EXPECT_EQ(ssh_job("bob"), -1);
    EXPECT_EQ(mark.lines_with("ignored").size(), 1U) << "one line a login, not one a socket";
}

}  // namespace
}  // namespace slurm_adopt::e2e
