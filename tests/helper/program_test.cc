// SPDX-License-Identifier: GPL-2.0-or-later
// What the program does with hostile requests and a parent that misbehaves.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "helper_process.h"
#include "slurm_adopt/deadline.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;
using namespace helper_wire;

class HelperProgram : public testing::Test {
protected:
    void SetUp() override
    {
        if (!is_root()) GTEST_SKIP() << "needs root";
    }
};

TimesRequest own_times()
{
    TimesRequest request;
    request.count = 1;
    request.pids[0] = ::getpid();
    return request;
}

std::vector<std::byte> good_request()
{
    return encode(Verb::times, own_times(), ::getpid(), 3);
}

// As the kernel shows it, once it has become what it is to be and waits for a request: that nothing can be gained any more is
// the last it sees to. A sanitized program on a busy machine takes its time to begin. Empty: that did not come.
std::string status_once_confined(pid_t pid)
{
    const Deadline deadline = Deadline::after(20s);
    do {
        std::ifstream file("/proc/" + std::to_string(pid) + "/status");
        std::string text{std::istreambuf_iterator<char>(file), {}};
        if (text.find("\nNoNewPrivs:\t1\n") != std::string::npos) return text;
        std::this_thread::sleep_for(5ms);
    } while (!deadline.passed());
    return {};
}

void expect_no_reply(const std::vector<std::byte>& request, const char* what)
{
    HelperProcess helper;
    helper.send(request);
    EXPECT_TRUE(helper.receive(10s).empty()) << what;
    EXPECT_EQ(helper.end(), "exited 1") << what;
    EXPECT_EQ(helper.error_output(), "") << what;
}

TEST_F(HelperProgram, AnswersAGoodRequest)
{
    const TimesReply reply = ask<TimesReply>(Verb::times, own_times(), {});
    EXPECT_EQ(reply.count, 1U);
    EXPECT_EQ(reply.began_ns[0], 0) << "this test is in no extern step";
}

TEST_F(HelperProgram, RefusesBadRequests)
{
    const auto turned = [](std::size_t offset, std::uint32_t value) {
        auto bytes = good_request();
        std::memcpy(bytes.data() + offset, &value, sizeof value);
        return bytes;
    };
    expect_no_reply(std::vector<std::byte>(284, std::byte{'A'}), "garbage");
    expect_no_reply(std::vector<std::byte>(100'000), "zeros");
    expect_no_reply(turned(offsetof(Header, magic), 0x31484153), "other byte order");
    expect_no_reply(turned(offsetof(Header, version), 2), "other version");
    expect_no_reply(turned(offsetof(Header, verb), 99), "unknown verb");
    expect_no_reply(turned(offsetof(Header, verb), 1), "size of another verb");
    expect_no_reply(turned(offsetof(Header, size), 0xffffffff), "giant size");
    expect_no_reply(turned(offsetof(Header, size), 0x7fffffff), "giant size");
    expect_no_reply(turned(offsetof(Header, size), 0), "no body");
    expect_no_reply(turned(sizeof(Header), 65), "more steps than there are");
    expect_no_reply(turned(sizeof(Header), 0xffffffff), "more steps than there are");
    auto twice = good_request();
    const auto once = twice;
    twice.insert(twice.end(), once.begin(), once.end());
    expect_no_reply(twice, "two requests");
    expect_no_reply(encode(Verb::times, TimesReply{}), "a reply");
}

TEST_F(HelperProgram, SurvivesRandomRequests)
{
    std::mt19937 random(20260501);
    for (int round = 0; round < 40; ++round) {
        auto bytes = good_request();
        // The header good or not, the body noise.
        for (std::size_t i = round % 2 == 0 ? 0 : sizeof(Header); i < bytes.size(); ++i) bytes[i] = std::byte(random());
        expect_no_reply(bytes, "noise");
    }
}

TEST_F(HelperProgram, EndsWithACutRequest)
{
    const auto request = good_request();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, sizeof(Header) - 1, sizeof(Header), request.size() - 1}) {
        HelperProcess helper;
        helper.send({request.begin(), request.begin() + static_cast<std::ptrdiff_t>(size)});
        helper.close_socket();
        EXPECT_EQ(helper.end(), "exited 1") << size;
    }
}

TEST_F(HelperProgram, DoesNotWaitForASilentParent)
{
    HelperProcess helper;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(helper.receive(15s).empty());
    EXPECT_EQ(helper.end(), "exited 1");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_F(HelperProgram, TakesARequestByteByByte)
{
    HelperProcess helper;
    for (const std::byte byte : good_request()) {
        helper.send({byte});
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(helper.receive().size(), sizeof(Header) + sizeof(TimesReply));
    EXPECT_EQ(helper.end(), "exited 0");
}

TEST_F(HelperProgram, SurvivesAParentThatDoesNotRead)
{
    HelperProcess helper;
    helper.send(good_request());
    helper.close_socket();
    const std::string end = helper.end();
    // 0: the reply was on its way before the socket closed.
    EXPECT_TRUE(end == "exited 1" || end == "exited 0") << end;
}

TEST_F(HelperProgram, WorksWithoutStandardDescriptors)
{
    HelperProcess helper({}, [] {
        for (const int fd : {0, 1, 2}) (void)::close(fd);
    });
    helper.send(good_request());
    EXPECT_EQ(helper.receive().size(), sizeof(Header) + sizeof(TimesReply));
    EXPECT_EQ(helper.end(), "exited 0");
}

TEST_F(HelperProgram, WorksWithSignalsBlockedAndIgnored)
{
    HelperProcess helper({}, [] {
        sigset_t all;
        (void)::sigfillset(&all);
        (void)::sigprocmask(SIG_SETMASK, &all, nullptr);
        for (int number = 1; number < NSIG; ++number) (void)::signal(number, SIG_IGN);
    });
    // Unblocked again: the signal arrives.
    ASSERT_NE(status_once_confined(helper.pid()), "");
    (void)::kill(helper.pid(), SIGTERM);
    EXPECT_EQ(helper.end(), "killed 15");
}

// As su leaves it: only the effective user is root. A user could send signals to such a process.
TEST_F(HelperProgram, IsRootInEveryId)
{
    HelperProcess helper({}, [] {
        constexpr uid_t user = 1000;
        if (::setresgid(user, user, user) != 0 || ::setresuid(user, 0, user) != 0) ::_exit(126);
    });
    const std::string text = status_once_confined(helper.pid());
    ASSERT_NE(text, "") << "it can still gain what it has not";
    EXPECT_NE(text.find("\nUid:\t0\t0\t0\t0\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\nGid:\t0\t0\t0\t0\n"), std::string::npos) << text;
}

// The parent is killed while the other end of the socket stays open in a third process: only the parent's death tells.
void expect_death_with_parent(const std::function<void()>& in_child)
{
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    std::array<int, 2> pipe_ends{};
    ASSERT_EQ(::pipe(pipe_ends.data()), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        const HelperProcess helper({}, in_child);
        const std::array<pid_t, 2> pids{helper.pid(), ::fork()};
        if (pids[1] != 0) (void)::write(pipe_ends[1], pids.data(), sizeof pids);
        for (;;) (void)::pause();
    }
    std::array<pid_t, 2> pids{};
    ASSERT_EQ(::read(pipe_ends[0], pids.data(), sizeof pids), static_cast<ssize_t>(sizeof pids));
    ASSERT_NE(status_once_confined(pids[0]), "");
    ASSERT_EQ(::kill(pids[0], 0), 0) << "waits for a request";
    (void)::kill(parent, SIGKILL);
    ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
    int status = 0;
    ASSERT_EQ(::waitpid(pids[0], &status, 0), pids[0]);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    (void)::kill(pids[1], SIGKILL);
    (void)::waitpid(pids[1], nullptr, 0);
}

TEST_F(HelperProgram, DiesWithItsParent)
{
    expect_death_with_parent({});
}

TEST_F(HelperProgram, DiesWithAParentOfMixedIds)
{
    // A change of the effective group takes the parent's death signal away.
    expect_death_with_parent([] {
        constexpr uid_t user = 1000;
        if (::setresgid(user, user, user) != 0 || ::setresuid(user, 0, user) != 0) ::_exit(126);
    });
}

}  // namespace
}  // namespace slurm_adopt::test
