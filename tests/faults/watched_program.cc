// SPDX-License-Identifier: GPL-2.0-or-later
#include "watched_program.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <set>
#include <stdexcept>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/fd.h"
#include "watched_marks.h"

namespace slurm_adopt::test {
namespace {

constexpr std::chrono::seconds longest{30};

// From now on every system call of this process waits for an answer.
bool ask_about_every_call()
{
    std::array<sock_filter, 1> filter{{{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF}}};
    const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) >= 0;
}

// The child cannot say which descriptor it got: that would be a system call.
Fd listener_of(pid_t child)
{
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    const std::string directory = "/proc/" + std::to_string(child) + "/fd";
    for (const Deadline deadline = Deadline::after(longest); process && !deadline.passed(); ::usleep(50)) {
        DIR* open = ::opendir(directory.c_str());
        if (open == nullptr) break;
        int found = -1;
        while (const dirent* entry = ::readdir(open)) {
            std::array<char, 64> target{};
            const std::string link = directory + '/' + entry->d_name;
            if (::readlink(link.c_str(), target.data(), target.size() - 1) > 0 &&
                std::string(target.data()) == "anon_inode:seccomp notify")
                found = std::atoi(entry->d_name);
        }
        (void)::closedir(open);
        if (found >= 0) return Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), found, 0)));
    }
    return Fd();
}

class Supervisor {
public:
    Supervisor(pid_t program, const OnCall& on_call) : program_(program), on_call_(on_call) {}

    // Until nobody is left who could call; false where that takes too long.
    bool run(const Fd& listener, ProgramEnd& end)
    {
        const Deadline deadline = Deadline::after(longest);
        while (true) {
            pollfd waiting{.fd = listener.get(), .events = POLLIN, .revents = 0};
            const int ready = ::poll(&waiting, 1, deadline.poll_timeout());
            if (ready == 0) return false;
            if (ready < 0) continue;
            if ((waiting.revents & POLLIN) == 0) return true;
            answer(listener, end);
        }
    }

private:
    void answer(const Fd& listener, ProgramEnd& end)
    {
        seccomp_notif asked{};
        if (::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return;  // killed meanwhile
        seccomp_notif_resp response{};
        response.id = asked.id;
        const int error = verdict(asked, end);
        if (error == 0) {
            response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        } else if (asked.data.nr != SYS_brk) {  // whose failure is that it answers less than was asked for (brk(2))
            response.error = -error;
        }
        (void)::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
    }

    int verdict(const seccomp_notif& asked, ProgramEnd& end)
    {
        const auto pid = static_cast<pid_t>(asked.pid);
        const long number = asked.data.nr;
        if (number == mark_begin || number == mark_end) {
            watching_ = number == mark_begin;
            return ENOSYS;
        }
        const bool own = pid == program_;
        if (!watching_ || became_another_.contains(pid)) return 0;
        // These cannot fail: nothing comes after them.
        if (number == SYS_exit || number == SYS_exit_group || number == SYS_rt_sigreturn) return 0;
        Call call{.number = number, .arguments = {}, .pid = pid, .own = own, .index = own ? ++end.calls : ++end.child_calls};
        for (std::size_t i = 0; i < call.arguments.size(); ++i) call.arguments[i] = asked.data.args[i];
        const int error = on_call_(call);
        if (number == SYS_execve && error == 0) became_another_.insert(pid);
        return error;
    }

    pid_t program_;
    const OnCall& on_call_;
    bool watching_ = false;
    std::set<pid_t> became_another_;
};

[[noreturn]] void become(const Program& program, int out)
{
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::dup2(out, STDOUT_FILENO);
    if (program.prepare) program.prepare();
    std::vector<std::string> environment = program.environment;
    for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
    std::vector<char*> variables;
    for (std::string& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    std::vector<std::string> arguments = program.arguments;
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    if (program.on_call && !ask_about_every_call()) ::_exit(125);
    (void)::execve(words.front(), words.data(), variables.data());
    ::_exit(126);
}

// To its end, or the deadline's.
bool read_to_end(const Fd& in, std::string& output)
{
    const Deadline deadline = Deadline::after(longest);
    while (true) {
        pollfd waiting{.fd = in.get(), .events = POLLIN, .revents = 0};
        const int ready = ::poll(&waiting, 1, deadline.poll_timeout());
        if (ready == 0) return false;
        if (ready < 0) continue;
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
        if (got <= 0) return true;
        output.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace

ProgramEnd run_program(const Program& program)
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    const Fd in(ends[0]);
    Fd out(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child == 0) become(program, out.get());
    out.reset();

    ProgramEnd end;
    if (program.on_call) {
        const Fd listener = listener_of(child);
        if (!listener || !Supervisor(child, program.on_call).run(listener, end))
            end.trouble = listener ? "hangs" : "cannot be watched";
    }
    // Before its end is seen it can be killed by its number.
    if (end.trouble.empty() && !read_to_end(in, end.output)) end.trouble = "hangs";
    if (!end.trouble.empty()) (void)::kill(child, SIGKILL);
    int status = 0;
    (void)::waitpid(child, &status, 0);
    if (!end.trouble.empty()) return end;
    if (WIFSIGNALED(status)) end.trouble = "killed by signal " + std::to_string(WTERMSIG(status));
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) end.trouble = "exited with " + std::to_string(WEXITSTATUS(status));
    return end;
}

}  // namespace slurm_adopt::test
