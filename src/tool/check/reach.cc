// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/reach.h"

#include <netdb.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"

namespace slurm_adopt::tool {
namespace {

constexpr int pause_ms = 5;

// In the child; all addresses in their order, as libslurm does.
Reach connect_to(const SlurmdPlace& place)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (::getaddrinfo(place.address.c_str(), std::to_string(place.port).c_str(), &hints, &found) != 0) return Reach::unknown_name;
    Reach result = Reach::no_answer;
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
        const Fd socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!socket) continue;
        if (uninterrupted([&] { return ::connect(socket.get(), address->ai_addr, address->ai_addrlen); }) == 0) return Reach::connected;
        if (errno == ECONNREFUSED) result = Reach::refused;
    }
    return result;
}

pid_t start(const SlurmdPlace& place)
{
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) ::_exit(static_cast<int>(Reach::no_answer));
    ::_exit(static_cast<int>(connect_to(place)));
}

Reach end_of(pid_t child, Deadline deadline)
{
    if (child < 0) return Reach::no_answer;
    int status = 0;
    for (;;) {
        const pid_t ended = uninterrupted([&] { return ::waitpid(child, &status, WNOHANG); });
        if (ended != 0) return ended == child && WIFEXITED(status) ? static_cast<Reach>(WEXITSTATUS(status)) : Reach::no_answer;
        if (deadline.passed()) break;
        (void)::poll(nullptr, 0, pause_ms);
    }
    (void)::kill(child, SIGKILL);
    (void)uninterrupted([&] { return ::waitpid(child, &status, 0); });
    return Reach::no_answer;
}

}  // namespace

std::vector<Reach> reach(const std::vector<SlurmdPlace>& places, Deadline deadline)
{
    std::vector<pid_t> children;
    children.reserve(places.size());
    for (const SlurmdPlace& place : places) children.push_back(start(place));
    std::vector<Reach> results;
    results.reserve(places.size());
    for (const pid_t child : children) results.push_back(end_of(child, deadline));
    return results;
}

}  // namespace slurm_adopt::tool
