// SPDX-License-Identifier: GPL-2.0-or-later
// Who may start the program, what it may be asked, and how it ends. More in tests/helper: it is the same code.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "fake_server.h"
#include "rest_program.h"

namespace slurm_adopt::rest::test {
namespace {

using namespace helper_wire;
using namespace std::chrono_literals;
using slurm_adopt::test::HelperProcess;
using slurm_adopt::test::run_by_hand;

class RestStart : public RestProgram {
protected:
    void expect_no_reply(const std::vector<std::byte>& request, const std::string& words) const
    {
        HelperProcess program;
        program.send(request);
        EXPECT_TRUE(program.receive().empty()) << words;
        EXPECT_EQ(program.end(), "exited 1") << words;
        EXPECT_NE(log().find(words), std::string::npos);
    }
};

TEST_F(RestStart, NotByHand)
{
    const auto version = run_by_hand({"--version"});
    EXPECT_EQ(version.end, "exited 0");
    EXPECT_TRUE(version.output.starts_with("slurm-adopt-rest ")) << version.output;
    EXPECT_NE(version.output.find("libcurl/"), std::string::npos) << version.output;
    const auto by_hand = run_by_hand({});
    EXPECT_EQ(by_hand.end, "exited 2");
    EXPECT_NE(by_hand.errors.find("descriptor 3 is not open"), std::string::npos) << by_hand.errors;
    EXPECT_EQ(run_by_hand({"http://ctl"}).end, "exited 2");
}

TEST_F(RestStart, OnlyForJobsByRest)
{
    TimesRequest times;
    times.count = 1;
    times.pids[0] = ::getpid();
    expect_no_reply(encode(Verb::times, times, ::getpid(), 9), "not what this program answers");
    JobsRequest jobs;
    jobs.controller = by_rpc;
    set_text(jobs.node, "n1");
    expect_no_reply(encode(Verb::jobs, jobs, ::getpid(), 9), "slurm-adopt-helper that asks slurmctld");
    auto twice = encode(Verb::jobs, request_to("http://127.0.0.1:1"), ::getpid(), 9);
    const auto once = twice;
    twice.insert(twice.end(), once.begin(), once.end());
    expect_no_reply(twice, "more than one request");
    JobsRequest no_url = request_to("");
    expect_no_reply(encode(Verb::jobs, no_url, ::getpid(), 9), "no URL");
}

TEST_F(RestStart, IsQuietWhereTheModuleIs)
{
    HelperProcess program;
    program.send(encode(Verb::jobs, request_to("http://127.0.0.1:1"), ::getpid(), 0));
    EXPECT_FALSE(program.receive().empty());
    EXPECT_EQ(program.end(), "exited 0");
    EXPECT_EQ(log(), "");
}

// As nobody it could not be killed by what has become of its ids; and it must not outlive the login.
TEST_F(RestStart, DiesWithItsParent)
{
    const FakeServer server([](Client& client) { client.hang(); });
    JobsRequest request = request_to(server.url());
    request.patience_ms = 20'000;
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        const HelperProcess program;
        program.send(encode(Verb::jobs, request, ::getpid(), 9));
        const pid_t pid = program.pid();
        (void)!::write(ends[1], &pid, sizeof pid);
        for (;;) (void)::pause();
    }
    pid_t pid = 0;
    ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    for (int i = 0; i < 500 && server.clients() == 0; ++i) std::this_thread::sleep_for(10ms);
    ASSERT_EQ(server.clients(), 1) << "it asks";
    (void)::kill(parent, SIGKILL);
    ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST_F(RestStart, GivesUpBeforeItIsGivenUp)
{
    const FakeServer server([](Client& client) { client.hang(); });
    for (const std::uint32_t patience : {300U, 1000U, 2500U}) {
        JobsRequest request = request_to(server.url());
        request.patience_ms = patience;
        // On a busy machine the start alone may take what it leaves.
        Asked asked = ask(request);
        for (int again = 0; again < 4 && asked.took >= std::chrono::milliseconds(patience); ++again) asked = ask(request);
        EXPECT_EQ(asked.status, JobsStatus::unreachable);
        EXPECT_LT(asked.took, std::chrono::milliseconds(patience));
        EXPECT_GT(asked.took, std::chrono::milliseconds(patience / 2));
    }
}

}  // namespace
}  // namespace slurm_adopt::rest::test
