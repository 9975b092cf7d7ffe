// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "slurm_adopt/unix_stream.h"

namespace slurm_adopt::helper {
namespace {

constexpr int socket_descriptor = 3;

Error untrusted(const char* what)
{
    return Error{ErrorCode::untrusted, 0, what};
}

std::optional<int> socket_option(const Fd& socket, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) != 0) return std::nullopt;
    return value;
}

void close_others()
{
    constexpr unsigned first = socket_descriptor + 1;
#ifdef SYS_close_range
    if (::syscall(SYS_close_range, first, ~0U, 0U) == 0) return;
#endif
    rlimit limit{};
    constexpr rlim_t most = 65536;
    const rlim_t end = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::min(limit.rlim_cur, most) : most;
    for (rlim_t fd = first; fd < end; ++fd) (void)::close(static_cast<int>(fd));
}

// Descriptors 0 to 2 must be something: the next file opened would take the place, and be written to.
bool have_standard_descriptors()
{
    for (const int fd : {0, 1, 2})
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return false;
    return true;
}

void reset_signals()
{
    struct sigaction action {};
    for (int number = 1; number < NSIG; ++number) {
        action.sa_handler = number == SIGPIPE ? SIG_IGN : SIG_DFL;  // libslurm writes to sockets that close
        (void)::sigaction(number, &action, nullptr);
    }
    sigset_t none;
    (void)::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool clear_environment()
{
    const auto slurm_conf = slurm_conf_path();
    if (::clearenv() != 0) return false;
    return !slurm_conf || ::setenv("SLURM_CONF", slurm_conf->c_str(), 1) == 0;
}

}  // namespace

std::optional<std::string> slurm_conf_path()
{
    const char* path = std::getenv("SLURM_CONF");
    if (path == nullptr) return std::nullopt;
    return path;
}

Result<Module> find_module()
{
    if (::geteuid() != 0) return untrusted("not run by root");
    if (::fcntl(socket_descriptor, F_GETFD) < 0) return untrusted("descriptor 3 is not open");
    Fd socket(socket_descriptor);
    if (socket_option(socket, SO_DOMAIN) != AF_UNIX || socket_option(socket, SO_TYPE) != SOCK_STREAM)
        return untrusted("descriptor 3 is not a unix stream socket");
    sockaddr_storage other_end{};
    socklen_t size = sizeof other_end;
    if (::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&other_end), &size) != 0)
        return untrusted("descriptor 3 is not connected");
    const auto peer = peer_of(socket);
    if (!peer) return peer.error();
    if (peer.value().uid != 0) return untrusted("the other end of descriptor 3 is not root's");
    const pid_t parent = ::getppid();
    if (peer.value().pid != parent) return untrusted("the other end of descriptor 3 is not our parent's");
    if (::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) return system_error("descriptor 3");
    return Module{std::move(socket), parent};
}

Result<Done> confine(pid_t module)
{
    reset_signals();
    (void)::alarm(longest_life_seconds);
    // su and login have the user's real uid: with it, the user could signal us and would be who libslurm asks for.
    if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) return system_error("setresuid");
    // After the change of ids, which clears it. It tells of deaths after this call only: look once for those before.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return system_error("PR_SET_PDEATHSIG");
    if (::getppid() != module) return untrusted("the module's process is gone");
    if (!have_standard_descriptors()) return untrusted("no standard descriptors");
    close_others();
    if (!clear_environment()) return system_error("clearenv");
    const rlimit none{};
    if (::setrlimit(RLIMIT_CORE, &none) != 0) return system_error("RLIMIT_CORE");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("PR_SET_NO_NEW_PRIVS");
    if (::chdir("/") != 0) return system_error("/");
    (void)::umask(S_IRWXG | S_IRWXO);
    return Done{};
}

}  // namespace slurm_adopt::helper
