// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/asked_child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "slurm_adopt/file.h"
#include "support/descriptors.h"
#include "support/forked.h"
#include "support/frozen.h"
#include "support/no_child_left.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::expect_no_child_left;
using test::open_descriptors;

template <class Question>
Result<std::string> ask(const Question& question, std::size_t most = 100, std::chrono::milliseconds limit = 2000ms,
                        int given = -1, const ProcessIdentity* as = nullptr, int held = -1)
{
    auto answer = ask_child(question, given, held, as, most, Deadline::after(limit));
    if (!answer) return std::move(answer).error();
    return std::move(answer).value().bytes;
}

std::chrono::steady_clock::duration since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::steady_clock::now() - begin;
}

TEST(AskedChild, AnswersOrSaysWhyNot)
{
    const auto before = open_descriptors();
    const auto answer = ask([](int out, int) noexcept { return write_answer(out, "four", 4); });
    ASSERT_TRUE(answer) << answer.error().context;
    EXPECT_EQ(answer.value(), "four");
    const auto nothing = ask([](int, int) noexcept { return 0; });
    ASSERT_TRUE(nothing);
    EXPECT_EQ(nothing.value(), "");

    const auto refused = ask([](int out, int) noexcept { return write_answer(out, "half", 4) == 0 ? ENOENT : 0; });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::system);
    EXPECT_EQ(refused.error().errno_value, ENOENT);
    const auto killed = ask([](int out, int) noexcept {
        (void)write_answer(out, "half", 4);
        ::abort();
        return 0;
    });
    ASSERT_FALSE(killed);
    EXPECT_EQ(killed.error().code, ErrorCode::closed);
    const auto odd = ask([](int, int) noexcept { return 256; });
    ASSERT_FALSE(odd) << "a status that an exit status cannot be";
    expect_no_child_left();
    EXPECT_EQ(open_descriptors(), before);
}

TEST(AskedChild, NoAnswerIsLongerThanAsked)
{
    const auto write = [](std::size_t size) {
        return [size](int out, int) noexcept {
            char bytes[1000];
            std::memset(bytes, 'x', sizeof bytes);
            for (std::size_t left = size; left > 0;) {
                const std::size_t now = left < sizeof bytes ? left : sizeof bytes;
                if (write_answer(out, bytes, now) != 0) return EIO;
                left -= now;
            }
            return 0;
        };
    };
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{300'000}}) {
        const auto exact = ask(write(most), most);
        ASSERT_TRUE(exact) << most;
        EXPECT_EQ(exact.value().size(), most);
        const auto longer = ask(write(most + 1), most);
        ASSERT_FALSE(longer) << most;
        EXPECT_EQ(longer.error().code, ErrorCode::too_large);
    }
    // One that writes without end is not waited for.
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(ask(write(~std::size_t{0}), 10));
    EXPECT_LT(since(begin), 500ms);
    expect_no_child_left();
}

// As on a node on which jobs compute: who gives its core away gets it back when they have had theirs.
TEST(AskedChild, CoresThatAreAtWorkDoNotHoldItUp)
{
    cpu_set_t before;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    {
        std::vector<test::Forked> jobs;
        for (int i = 0; i < 4; ++i)
            jobs.emplace_back([] {
                for (const volatile bool busy = true; busy;) {}
                return true;
            });
        const auto writes = [](int out, int) noexcept {
            while (write_answer(out, "more", 4) == 0) {}
            return EIO;
        };
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_FALSE(ask(writes, 10));
        EXPECT_LT(since(begin), 500ms);
    }
    (void)::sched_setaffinity(0, sizeof before, &before);
    expect_no_child_left();
}

TEST(AskedChild, OneThatHangsIsKilledAtTheDeadline)
{
    const auto hang = [](int out, int) noexcept {
        (void)write_answer(out, "half", 4);
        for (;;) (void)::pause();
        return 0;
    };
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = ask(hang, 100, 150ms);
    const auto took = since(begin);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::timed_out) << answer.error().context;
    EXPECT_GE(took, 150ms);
    EXPECT_LT(took, 400ms);
    expect_no_child_left();

    // One that has closed its end and goes on has not answered either.
    const auto closed = ask(
        [](int out, int) noexcept {
            (void)::close(out);
            for (;;) (void)::pause();
            return 0;
        },
        100, 150ms);
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().code, ErrorCode::timed_out);
    expect_no_child_left();
}

TEST(AskedChild, OneThatCannotBeKilledIsLeftBehind)
{
    {
        const test::Frozen frozen;
        if (!frozen.works()) GTEST_SKIP() << "no freezer of cgroup v1 here";
        static std::string processes;
        processes = frozen.directory() + "/cgroup.procs";
        const auto begin = std::chrono::steady_clock::now();
        const auto answer = ask(
            [](int out, int) noexcept {
                const int group = ::open(processes.c_str(), O_WRONLY | O_CLOEXEC);
                if (group < 0 || ::write(group, "0", 1) != 1) return EIO;
                return write_answer(out, "x", 1);
            },
            100, 150ms);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::timed_out) << answer.error().context;
        EXPECT_LT(since(begin), 450ms);
    }
    // Now it dies of the signal it was sent. Here its parent lives on, and has to reap it; in a login, init does when it
    // ends.
    EXPECT_GT(::waitpid(-1, nullptr, __WALL), 0);
    expect_no_child_left();
}

TEST(AskedChild, HasNothingOpenButItsEndAndWhatItIsGiven)
{
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "given", 5), 5);
    const auto list = [](int out, int given) noexcept {
        char seen[200];
        for (int fd = 0; fd < 200; ++fd) seen[fd] = ::fcntl(fd, F_GETFD) < 0 ? '-' : '+';
        if (const int error = write_answer(out, seen, sizeof seen); error != 0) return error;
        char read[5];
        return ::read(given, read, 5) == 5 ? write_answer(out, read, 5) : EIO;
    };
    const auto answer = ask(list, 1000, 2000ms, ends[0]);
    ASSERT_TRUE(answer) << answer.error().context;
    EXPECT_EQ(answer.value(), "++" + std::string(198, '-') + "given");
    // And what it is only to hold.
    ASSERT_EQ(::write(ends[1], "holds", 5), 5);
    const auto holds = ask(list, 1000, 2000ms, ends[0], nullptr, ends[1]);
    ASSERT_TRUE(holds) << holds.error().context;
    EXPECT_EQ(holds.value(), "+++" + std::string(197, '-') + "holds");
    const auto only_holds = ask(
        [](int out, int given) noexcept {
            const bool is_right = given == -1 && ::fcntl(1, F_GETFD) >= 0 && ::fcntl(2, F_GETFD) < 0;
            return is_right ? write_answer(out, "held", 4) : EIO;
        },
        10, 2000ms, -1, nullptr, ends[0]);
    EXPECT_TRUE(only_holds) << only_holds.error().context;
    // Whatever numbers our own have.
    const int zero = ::fcntl(0, F_DUPFD, 100);
    const int one = ::fcntl(1, F_DUPFD, 100);
    ASSERT_EQ(::write(ends[1], "again", 5), 5);
    ASSERT_EQ(::dup2(ends[0], 0), 0);
    ASSERT_EQ(::close(1), 0);  // which the socketpair gets
    const auto again = ask(list, 1000, 2000ms, 0, nullptr, ends[0]);
    ASSERT_EQ(::dup2(zero, 0), 0);
    ASSERT_EQ(::dup2(one, 1), 1);
    for (const int fd : {zero, one, ends[0], ends[1]}) ::close(fd);
    ASSERT_TRUE(again) << again.error().context;
    EXPECT_EQ(again.value(), "+++" + std::string(197, '-') + "again");
}

TEST(AskedChild, IsTheUserWhereAskedTo)
{
    if (::geteuid() != 0) FAIL() << "needs root";
    const test::TempDirectory directory;
    ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
    const ProcessIdentity user{.uid = 4242, .gid = 4243, .groups = {4244, 4245}};
    const auto who = [](int out, int) noexcept {
        const int status = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        if (status < 0) return errno;
        return copy_answer(out, status, 8000);
    };
    const auto answer = ask(who, 8000, 2000ms, -1, &user);
    // Not dumpable, so even its own files are root's.
    ASSERT_TRUE(answer) << answer.error().context;
    for (const char* line : {"\nUid:\t4242\t4242\t4242\t4242\n", "\nGid:\t4243\t4243\t4243\t4243\n",
                             "\nGroups:\t4244 4245 \n", "\nCapEff:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n"})
        EXPECT_NE(answer.value().find(line), std::string::npos) << line << answer.value();
    const auto traceable = ask(
        [](int out, int) noexcept {
            int signal = 0;
            if (::prctl(PR_GET_DUMPABLE) != 0 || ::prctl(PR_GET_PDEATHSIG, &signal) != 0 || signal != SIGKILL) return EPERM;
            return write_answer(out, "no", 2);
        },
        10, 2000ms, -1, &user);
    EXPECT_TRUE(traceable);

    const int mine = ::open((directory / "root's").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(mine, 0);
    ::close(mine);
    static std::string path;
    path = directory / "root's";
    const auto open = [](int, int) noexcept { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno; };
    EXPECT_TRUE(ask(open));
    const auto refused = ask(open, 100, 2000ms, -1, &user);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().errno_value, EACCES);
    EXPECT_EQ(::geteuid(), 0U) << "and we are who we were";
}

TEST(AskedChild, TheHostKnowsNothingOfIt)
{
    static int child_signals;
    child_signals = 0;
    struct sigaction count {};
    count.sa_handler = [](int) { ++child_signals; };
    struct sigaction before {};
    ASSERT_EQ(::sigaction(SIGCHLD, &count, &before), 0);
    sigset_t mask_before;
    ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before), 0);
    const auto say = [](int out, int) noexcept {
        // Ours would be the host's handlers: none runs.
        (void)::kill(::getpid(), SIGTERM);
        (void)::kill(::getpid(), SIGCHLD);
        return write_answer(out, "x", 1);
    };
    EXPECT_TRUE(ask(say));
    EXPECT_FALSE(ask([](int, int) noexcept { return ::pause(); }, 100, 50ms));
    EXPECT_EQ(child_signals, 0);
    // Also where the host lets the kernel reap.
    count.sa_handler = SIG_IGN;
    ASSERT_EQ(::sigaction(SIGCHLD, &count, nullptr), 0);
    EXPECT_TRUE(ask(say));
    const auto refused = ask([](int, int) noexcept { return ENOENT; });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().errno_value, ENOENT) << "how it ended is known";
    ASSERT_EQ(::sigaction(SIGCHLD, &before, nullptr), 0);

    // A child of the host's that has ended stays the host's to wait for.
    const pid_t hosts = ::fork();
    if (hosts == 0) ::_exit(3);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(hosts), &info, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(ask(say));
    int status = 0;
    EXPECT_EQ(::waitpid(-1, &status, 0), hosts);
    EXPECT_EQ(WEXITSTATUS(status), 3);

    sigset_t mask_after;
    ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask_after), 0);
    for (int signal = 1; signal < 32; ++signal)
        EXPECT_EQ(::sigismember(&mask_before, signal), ::sigismember(&mask_after, signal));
    expect_no_child_left();
}

}  // namespace
}  // namespace slurm_adopt
