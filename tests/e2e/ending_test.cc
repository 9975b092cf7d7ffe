// SPDX-License-Identifier: GPL-2.0-or-later
// A job that ends between being found and being asked to adopt. strace holds the login back in just that moment.
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

const std::string trace_file = "/run/cluster/strace";
constexpr int held_back_for_s = 5;

std::vector<std::string> sends()
{
    std::ifstream trace(trace_file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(trace, line);)
        if (line.find("sendto(") != std::string::npos) lines.push_back(line);
    return lines;
}

// The login sends several things; which of them is the request to adopt (22, then our pid)?
int which_send_adopts(const std::string& user)
{
    (void)pam_login_by("e2e", user, {"strace", "-f", "-xx", "-e", "trace=sendto", "-o", trace_file});
    int number = 0;
    for (const std::string& line : sends()) {
        ++number;
        if (line.find("\"\\x16\\x00\\x00\\x00") != std::string::npos) return number;
    }
    return 0;
}

std::vector<std::string> hold_back(int number)
{
    return {"strace", "-f", "-e", "trace=sendto", "-e",
            "inject=sendto:delay_enter=" + std::to_string(held_back_for_s) + "s:when=" + std::to_string(number), "-o", trace_file};
}

class Ending : public ::testing::TestWithParam<const char*> {
protected:
    // A login of alice's that is held back, while `meanwhile` happens.
    template <class Meanwhile>
    Login login_while(Meanwhile meanwhile)
    {
        const int number = which_send_adopts("alice");
        EXPECT_GT(number, 0) << read_whole(trace_file);
        std::filesystem::remove(trace_file);
        Background login(login_command("e2e", "alice", hold_back(number)));
        EXPECT_TRUE(eventually([&] { return static_cast<int>(sends().size()) >= number - 1; }));
        ::usleep(200'000);  // from the one before it to where it waits
        EXPECT_TRUE(login.running()) << "nothing held it back";
        meanwhile();
        return login_of(login.wait(std::chrono::seconds{60}));
    }

    const Stack stack_{transparent_stack(std::string("service=* timeout=60 log_level=debug ") + GetParam())};
    const LogMark mark_;
};

class EndingOfSeveral : public Ending {};

TEST_P(Ending, TheOnlyJob)
{
    Job job = Job::allocate("alice");
    const Login login = login_while([&] {
        job.request_cancel();
        EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(job.socket()); }, std::chrono::seconds{held_back_for_s - 1}));
    });
    EXPECT_EQ(login.result, PAM_PERM_DENIED) << login.messages;
    EXPECT_EQ(login.job, 0U);
    EXPECT_EQ(mark_.decisions("alice").back()["reason"], "no_jobs") << mark_.decisions("alice").back().line;
    EXPECT_EQ(mark_.lines_with("looking once more").size(), 1U);
}

TEST_P(EndingOfSeveral, TheNewest)
{
    const Job first = Job::allocate("alice");
    Job second = Job::allocate("alice");
    const Login login = login_while([&] {
        second.request_cancel();
        EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(second.socket()); }, std::chrono::seconds{held_back_for_s - 1}));
    });
    EXPECT_EQ(login.result, PAM_SUCCESS) << login.messages;
    EXPECT_EQ(login.job, first.id());
    EXPECT_EQ(login.environment.at("SLURM_JOB_ID"), first.id_text());
}

TEST_P(EndingOfSeveral, AnotherBeginsMeanwhile)
{
    Job job = Job::allocate("alice");
    std::vector<Job> next;
    const Login login = login_while([&] {
        job.request_cancel();
        EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(job.socket()); }, std::chrono::seconds{held_back_for_s - 1}));
        next.push_back(Job::allocate("alice"));
    });
    EXPECT_EQ(login.result, PAM_SUCCESS) << login.messages;
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(login.job, next[0].id());
}

// A step that is ending still listens for some hundredths of a second, and answers no. Somebody who cancels the own job
// and logs in at once must not find the node open for it.
TEST(EndingAtOnce, DoesNotOpenTheNode)
{
    const Stack stack(transparent_stack("service=* log_level=debug"));
    const LogMark mark;
    for (int round = 0; round < 4; ++round) {
        Job job = Job::allocate("alice");
        job.request_cancel();
        for (int i = 0; i < 30 && std::filesystem::exists(job.socket()); ++i) {
            const Login login = login_of(run(login_command("e2e", "alice", {})));
            if (login.result == PAM_SUCCESS) {
                EXPECT_EQ(login.job, job.id());
            }
        }
    }
    for (const Decision& decision : mark.decisions("alice"))
        EXPECT_TRUE(decision.keys.at("decision") == "adopt" || decision.keys.at("reason") == "no_jobs") << decision.line;
}

// Without strict an ended job must not open the node either: it is no failure to adopt, there is no job any more.
INSTANTIATE_TEST_SUITE_P(, Ending, ::testing::Values("strict", ""),
                         [](const auto& test) { return std::string(*test.param != '\0' ? "Strict" : "Default"); });
INSTANTIATE_TEST_SUITE_P(, EndingOfSeveral, ::testing::Values("strict"), [](const auto&) { return std::string("Strict"); });

}  // namespace
}  // namespace slurm_adopt::e2e
