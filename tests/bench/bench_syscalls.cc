// SPDX-License-Identifier: GPL-2.0-or-later
//
// Counts the system calls of a login, those of the processes it starts too.
//
//   bench_syscalls LOGIN CONFDIR USER RUNS SERVICE=OUTCOME...
//
// LOGIN is the program bench_once. SERVICE=OUTCOME: see common.h; a login that does not come to its outcome ends the run.
// Prints a line per service: its name, runs, then lower quartile, median and upper quartile of the counts. All of the
// process counts, from exec to exit: the difference to another service is what a module adds.
#include "common.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr long options =
    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
constexpr int at_system_call = SIGTRAP | 0x80;

[[noreturn]] void become(const std::vector<std::string>& command)
{
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    (void)::setsid();  // as sshd does for each connection
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) {
        (void)::raise(SIGSTOP);
        ::execv(arguments[0], arguments.data());
    }
    ::_exit(127);
}

bool is_entry(pid_t pid)
{
    __ptrace_syscall_info info{};
    const long got = ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    return got > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

// The signal that a stopped process is to get when it goes on; 0: none.
int signal_to_deliver(int status)
{
    const int signal = WSTOPSIG(status);
    const bool ours = signal == at_system_call || signal == SIGSTOP || (status >> 16) != 0 || signal == SIGTRAP;
    return ours ? 0 : signal;
}

// Runs the command to its end; its exit code is `exit_code`.
int count(const std::vector<std::string>& command, int& exit_code)
{
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child == 0) become(command);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) throw std::runtime_error("cannot be traced");
    if (::ptrace(PTRACE_SETOPTIONS, child, nullptr, options) != 0) throw std::runtime_error("PTRACE_SETOPTIONS");
    (void)::ptrace(PTRACE_SYSCALL, child, nullptr, 0);

    int calls = 0;
    exit_code = -1;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status)) {
            if (pid == child) exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        if (WSTOPSIG(status) == at_system_call && is_entry(pid)) ++calls;
        (void)::ptrace(PTRACE_SYSCALL, pid, nullptr, signal_to_deliver(status));
    }
    return calls;
}

void run(int argc, char** argv)
{
    if (argc < 6) throw std::runtime_error("usage: bench_syscalls LOGIN CONFDIR USER RUNS SERVICE=OUTCOME...");
    const int runs = bench::number(argv[4]);
    for (const bench::Expectation& each : bench::expectations(argc, argv, 5)) {
        const int expected = bench::exit_code_of(each.outcome);
        std::vector<double> counts;
        for (int i = 0; i < runs; ++i) {
            int exit_code = -1;
            counts.push_back(count({argv[1], argv[2], each.service, argv[3]}, exit_code));
            if (exit_code != expected)
                throw std::runtime_error(each.service + ": expected " + each.outcome + ", got exit code " +
                                         std::to_string(exit_code));
        }
        std::printf("%s %d %.0f %.0f %.0f\n", each.service.c_str(), runs, bench::quantile(counts, 0.25),
                    bench::quantile(counts, 0.5), bench::quantile(counts, 0.75));
    }
}

}  // namespace

int main(int argc, char** argv)
{
    return bench::guarded("bench_syscalls", run, argc, argv);
}
