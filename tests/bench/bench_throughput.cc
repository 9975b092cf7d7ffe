// SPDX-License-Identifier: GPL-2.0-or-later
//
// Logins per second: so many workers at once, each making one login after the other, each login a process of its own.
//
//   bench_throughput LOGIN CONFDIR USER WORKERS ROUNDS MILLISECONDS SERVICE=OUTCOME...
//
// LOGIN is the program bench_once. SERVICE=OUTCOME: see common.h; logins that do not come to it are not counted as
// logins, but told. The services take turns, ROUNDS times; the clock of a turn starts when every worker has made its
// first login, and runs for MILLISECONDS: what is unfinished at its beginning makes up for what is unfinished at its end.
// Prints a line per service: its name, rounds, then lower quartile, median and upper quartile of the logins per second,
// then the number of those that failed.
#include "common.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds longest_first_login{60};
constexpr std::chrono::milliseconds pause_between{100};  // for the slurmstepds to end what they began

// What a worker has done so far; in memory that the workers share with their parent, a cache line each.
struct alignas(64) Tally {
    std::atomic<int> good{0};
    std::atomic<int> bad{0};
};

// The tallies of all workers, and the word to stop.
class Board {
public:
    explicit Board(std::size_t workers)
        : size_((workers + 1) * sizeof(Tally)),
          memory_(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
    {
        if (memory_ == MAP_FAILED) throw std::runtime_error("mmap");
        tallies_ = new (memory_) Tally[workers + 1];
    }
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;
    ~Board() { (void)::munmap(memory_, size_); }

    Tally& of(std::size_t worker) { return tallies_[worker + 1]; }
    std::atomic<int>& stop() { return tallies_[0].good; }

private:
    std::size_t size_;
    void* memory_;
    Tally* tallies_ = nullptr;
};

// A worker: runs the command again and again until it is told to stop.
[[noreturn]] void work(std::vector<char*> arguments, int expected, Tally& tally, const std::atomic<int>& stop)
{
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    posix_spawnattr_t attributes;
    if (::posix_spawnattr_init(&attributes) != 0) ::_exit(1);
    (void)::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // as sshd does for each connection
    while (stop == 0) {
        pid_t login = 0;
        int status = 0;
        if (::posix_spawn(&login, arguments[0], nullptr, &attributes, arguments.data(), environ) != 0) ::_exit(1);
        if (::waitpid(login, &status, 0) != login) ::_exit(1);
        ++(WIFEXITED(status) && WEXITSTATUS(status) == expected ? tally.good : tally.bad);
    }
    ::_exit(0);
}

struct Turn {
    double per_second;
    int failed;
};

Turn take_turn(const std::vector<std::string>& command, int expected, std::size_t workers, std::chrono::milliseconds time)
{
    Board board(workers);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::vector<pid_t> pids;
    for (std::size_t i = 0; i < workers; ++i) {
        const pid_t pid = ::fork();
        if (pid < 0) throw std::runtime_error("fork");
        if (pid == 0) work(arguments, expected, board.of(i), board.stop());
        pids.push_back(pid);
    }

    const auto good = [&] {
        int sum = 0;
        for (std::size_t i = 0; i < workers; ++i) sum += board.of(i).good;
        return sum;
    };
    const auto given_up = Clock::now() + longest_first_login;
    for (std::size_t i = 0; i < workers;) {
        if (board.of(i).good + board.of(i).bad > 0)
            ++i;
        else if (Clock::now() > given_up)
            throw std::runtime_error("a first login did not end: " + command[2]);
        else
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const int before = good();
    const auto began = Clock::now();
    std::this_thread::sleep_for(time);
    const int after = good();
    const std::chrono::duration<double> took = Clock::now() - began;

    board.stop() = 1;
    for (const pid_t pid : pids) {
        int status = 0;
        if (::waitpid(pid, &status, 0) != pid || status != 0) throw std::runtime_error("a worker failed: " + command[2]);
    }
    int failed = 0;
    for (std::size_t i = 0; i < workers; ++i) failed += board.of(i).bad;
    return {(after - before) / took.count(), failed};
}

void run(int argc, char** argv)
{
    if (argc < 8)
        throw std::runtime_error(
            "usage: bench_throughput LOGIN CONFDIR USER WORKERS ROUNDS MILLISECONDS SERVICE=OUTCOME...");
    const auto workers = static_cast<std::size_t>(bench::number(argv[4]));
    const int rounds = bench::number(argv[5]);
    const std::chrono::milliseconds time(bench::number(argv[6]));
    const std::vector<bench::Expectation> services = bench::expectations(argc, argv, 7);
    std::vector<std::vector<double>> speeds(services.size());
    std::vector<int> failed(services.size());
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < services.size(); ++i) {
            const Turn turn = take_turn({argv[1], argv[2], services[i].service, argv[3]},
                                        bench::exit_code_of(services[i].outcome), workers, time);
            speeds[i].push_back(turn.per_second);
            failed[i] += turn.failed;
            std::this_thread::sleep_for(pause_between);
        }
    }
    for (std::size_t i = 0; i < services.size(); ++i)
        std::printf("%s %d %.1f %.1f %.1f %d\n", services[i].service.c_str(), rounds, bench::quantile(speeds[i], 0.25),
                    bench::quantile(speeds[i], 0.5), bench::quantile(speeds[i], 0.75), failed[i]);
}

}  // namespace

int main(int argc, char** argv)
{
    return bench::guarded("bench_throughput", run, argc, argv);
}
