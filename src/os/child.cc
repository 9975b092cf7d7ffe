// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "slurm_adopt/interrupted.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

constexpr int socket_descriptor = 3;
constexpr int set_up_failed = ChildEnd::set_up_failed;
// How long a killed child may take to be gone before it is left to init: it hangs in the kernel.
constexpr auto dying_time = 100ms;
// How often to look whether the child has ended while its socket says nothing: a process that it has left behind may
// hold the other end.
constexpr auto look_again = 20ms;
// An end that its socket has told of is near: so often, and so long, it is looked for before a millisecond is waited. On a node
// whose cores are all at work each look may hand over this one for some milliseconds.
constexpr int looks_at_once = 1000;
constexpr auto looking_time = 2ms;

// ---- In the child, after clone: only async-signal-safe calls, no memory, no return. ----

void close_from(unsigned first)
{
#ifdef SYS_close_range
    if (::syscall(SYS_close_range, first, ~0U, 0U) == 0) return;
#endif
    rlimit limit{};
    const rlim_t end = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? limit.rlim_cur : 65536;
    for (rlim_t fd = first; fd < end; ++fd) (void)::close(static_cast<int>(fd));
}

// Gone with the login: also when sshd is killed in this moment.
void die_with(pid_t parent)
{
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ::_exit(set_up_failed);
    // 0: in a job's namespace of processes, which the host has joined for its children, it is out of sight.
    if (const pid_t now = ::getppid(); now != parent && now != 0) ::_exit(set_up_failed);
}

// System calls, not the C library's functions: those have all threads of the process change, which a fork has not.
bool take_identity(const ProcessIdentity& as)
{
#ifdef SYS_setresuid32
    constexpr long set_groups = SYS_setgroups32;
    constexpr long set_gids = SYS_setresgid32;
    constexpr long set_uids = SYS_setresuid32;
#else
    constexpr long set_groups = SYS_setgroups;
    constexpr long set_gids = SYS_setresgid;
    constexpr long set_uids = SYS_setresuid;
#endif
    return ::syscall(set_groups, as.groups.size(), as.groups.data()) == 0 && ::syscall(set_gids, as.gid, as.gid, as.gid) == 0 &&
           ::syscall(set_uids, as.uid, as.uid, as.uid) == 0 && ::prctl(PR_SET_DUMPABLE, 0) == 0;
}

[[noreturn]] void perform(const ChildTask& task, int socket, pid_t parent)
{
    die_with(parent);
    if (::setpgid(0, 0) != 0) ::_exit(set_up_failed);
    // Whatever it hangs with later, no connection of the host's is kept open by it. As in become().
    const auto out_of_the_way = [](int fd) { return fd < 0 ? -1 : ::fcntl(fd, F_DUPFD, 3); };
    const int out = out_of_the_way(socket);
    const int given = out_of_the_way(task.given);
    const int held = out_of_the_way(task.held);
    if (out < 0 || (task.given >= 0 && given < 0) || (task.held >= 0 && held < 0) || ::dup2(out, 0) < 0) ::_exit(set_up_failed);
    int open = 1;
    for (const int fd : {given, held})
        if (fd >= 0 && ::dup2(fd, open++) < 0) ::_exit(set_up_failed);
    close_from(static_cast<unsigned>(open));
    if (task.as != nullptr) {
        // What is in our memory is the host's: not for the user's debugger.
        if (::prctl(PR_SET_DUMPABLE, 0) != 0 || !take_identity(*task.as)) ::_exit(set_up_failed);
        die_with(parent);  // who changes its ids loses that
    }
    const int status = task.run(task.context, 0, given < 0 ? -1 : 1);
    ::_exit(status >= 0 && status < set_up_failed ? status : EIO);
}

[[noreturn]] void become(const char* program, char* const* environment, int socket, pid_t parent)
{
    die_with(parent);
    // A group of its own, so that what it starts can be killed with it.
    if (::setpgid(0, 0) != 0) ::_exit(set_up_failed);
    // execve resets handlers, and the helper itself what the host ignores; the mask is ours to undo.
    sigset_t none;
    (void)::sigemptyset(&none);
    (void)::pthread_sigmask(SIG_SETMASK, &none, nullptr);

    // Out of the way of 0 to 3 first; duplicates are without close-on-exec.
    const int kept = ::fcntl(socket, F_DUPFD, socket_descriptor + 1);
    const int null = ::open("/dev/null", O_RDWR);
    if (kept < 0 || null < 0) ::_exit(set_up_failed);
    for (const int standard : {0, 1, 2})
        if (::dup2(null, standard) < 0) ::_exit(set_up_failed);
    if (::dup2(kept, socket_descriptor) < 0) ::_exit(set_up_failed);
    close_from(socket_descriptor + 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): execve(2) writes to neither, its signature is older than const
    char* const arguments[] = {const_cast<char*>(program), nullptr};
    ::execve(program, arguments, environment);
    ::_exit(set_up_failed);
}

Result<Done> check_owner(const std::string& path, bool directory)
{
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return system_error(path);
    if (directory ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode))
        return Error{ErrorCode::untrusted, 0, path + (directory ? ": not a directory" : ": not a regular file")};
    if (status.st_uid != 0) return Error{ErrorCode::untrusted, 0, path + ": not owned by root"};
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return Error{ErrorCode::untrusted, 0, path + ": writable by others than root"};
    return Done{};
}

}  // namespace

Result<Done> check_program(const std::string& path)
{
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || path.front() != '/') return Error{ErrorCode::untrusted, 0, path + ": not an absolute path"};
    if (auto directory = check_owner(slash == 0 ? "/" : path.substr(0, slash), true); !directory) return directory;
    if (auto file = check_owner(path, false); !file) return file;
    if (::access(path.c_str(), X_OK) != 0) return system_error(path);
    return Done{};
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      has_signal_(other.has_signal_),
      signal_was_blocked_(other.signal_was_blocked_),
      socket_(std::move(other.socket_))
{
}

template <class InChild>
Result<Child> Child::start_with(InChild in_child, int end_signal)
{
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return system_error("socketpair");
    Fd ours(pair[0]);
    const Fd theirs(pair[1]);

    // No signal of the host's may run a handler of the host's in the child.
    sigset_t all;
    sigset_t before;
    (void)::sigfillset(&all);
    (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t parent = ::getpid();
    // As fork(2), but the handlers that other libraries have registered with the C library are not run: nothing that needs
    // them follows, and they may hang.
    const long pid = ::syscall(SYS_clone, static_cast<unsigned long>(end_signal), nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) in_child(theirs.get(), parent);
    const int error = errno;
    sigset_t held = before;
    if (pid > 0 && end_signal != 0) (void)::sigaddset(&held, SIGCHLD);
    (void)::pthread_sigmask(SIG_SETMASK, &held, nullptr);
    if (pid < 0) return system_error("clone", error);
    return Child(static_cast<pid_t>(pid), std::move(ours), end_signal != 0, ::sigismember(&before, SIGCHLD) == 1);
}

Result<Child> Child::start(const std::string& program, const std::vector<std::string>& environment)
{
    std::vector<char*> variables;
    variables.reserve(environment.size() + 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): as above
    for (const std::string& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
    variables.push_back(nullptr);
    return start_with([&](int socket, pid_t parent) { become(program.c_str(), variables.data(), socket, parent); },
                      SIGCHLD);
}

Result<Child> Child::start(const ChildTask& task)
{
    return start_with([&](int socket, pid_t parent) { perform(task, socket, parent); }, 0);
}

bool Child::has_ended() const
{
    siginfo_t info{};
    const int result = uninterrupted([&] { return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT | __WALL); });
    // Gone: a host that ignores SIGCHLD has the kernel reap. Its number may be another group's by now. Any other failure says
    // nothing of the child: it is killed at its deadline.
    if (result < 0) return errno == ECHILD;
    if (info.si_pid == 0) return false;
    // Until it is reaped the number is its own.
    (void)::kill(-pid_, SIGKILL);
    return true;
}

void Child::kill_all() const
{
    // The child by itself as well: it may not have come to its group yet. Not reaped by us, so still its number, unless
    // the host ignores SIGCHLD; then it was there a moment ago.
    (void)::kill(-pid_, SIGKILL);
    (void)::kill(pid_, SIGKILL);
}

bool Child::reap(int& status)
{
    if (!has_ended()) return false;
    (void)uninterrupted([&] { return ::waitpid(pid_, &status, WNOHANG | __WALL); });
    return true;
}

Deadline Child::wait_for_output(Deadline deadline) const
{
    for (;;) {
        pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        const Deadline soon = deadline.sooner(Deadline::after(look_again));
        if (::poll(&waiting, 1, soon.poll_timeout()) > 0 || deadline.passed()) return deadline;
        // What it has sent is in the socket; those that could keep the stream open are dying.
        if (has_ended()) return deadline.sooner(Deadline::after(dying_time));
    }
}

void Child::let_go()
{
    const pid_t pid = std::exchange(pid_, -1);
    if (!has_signal_) return;
    sigset_t child_signal;
    (void)::sigemptyset(&child_signal);
    (void)::sigaddset(&child_signal, SIGCHLD);
    bool others = false;
    siginfo_t info{};
    const timespec now{};
    while (::sigtimedwait(&child_signal, &info, &now) == SIGCHLD) others = others || info.si_pid != pid;
    // One pending SIGCHLD stands for many: a child of the host's may have ended under cover of ours.
    siginfo_t waiting{};
    if (::waitid(P_ALL, 0, &waiting, WEXITED | WNOHANG | WNOWAIT) == 0 && waiting.si_pid != 0) others = true;
    if (others) (void)::kill(::getpid(), SIGCHLD);
    if (!signal_was_blocked_) (void)::pthread_sigmask(SIG_UNBLOCK, &child_signal, nullptr);
}

std::string ChildEnd::text() const
{
    switch (how) {
    case How::exited:
        return "exited with " + std::to_string(value);
    case How::signalled:
        return "killed by signal " + std::to_string(value);
    case How::killed:
        return "killed at its deadline";
    case How::hangs:
        return "hangs in the kernel";
    case How::unknown:
        break;
    }
    return "ended";
}

ChildEnd Child::wait_for_end(Deadline deadline)
{
    using How = ChildEnd::How;
    if (pid_ < 0) return {};
    int status = 0;
    bool killed = false;
    const Deadline looking = Deadline::after(looking_time);
    for (int looks = 0; !reap(status); ++looks) {
        if (deadline.passed()) {
            if (killed) {  // in the kernel's hands: init will have it
                let_go();
                return {How::hangs};
            }
            kill_all();
            killed = true;
            deadline = Deadline::after(dying_time);
        }
        if (looks < looks_at_once && !looking.passed()) (void)::sched_yield();
        else (void)::poll(nullptr, 0, std::min(deadline.poll_timeout(), 1));
    }
    let_go();
    if (killed) return {How::killed};
    if (WIFEXITED(status)) return {How::exited, WEXITSTATUS(status)};
    if (WIFSIGNALED(status)) return {How::signalled, WTERMSIG(status)};
    return {};
}

Child::~Child()
{
    if (pid_ < 0) return;
    int status = 0;
    // One that has said all it had to say is about to end.
    bool ended = reap(status);
    const Deadline looking = Deadline::after(looking_time);
    for (int looks = 0; !ended && looks < looks_at_once && !looking.passed(); ++looks) {
        (void)::sched_yield();
        ended = reap(status);
    }
    if (!ended) {
        kill_all();
        const Deadline deadline = Deadline::after(dying_time);
        while (!reap(status) && !deadline.passed()) (void)::poll(nullptr, 0, 1);
    }
    let_go();
}

}  // namespace slurm_adopt
