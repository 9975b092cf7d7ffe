// SPDX-License-Identifier: GPL-2.0-or-later
#include "many_sockets.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include "fake_stepd.h"
#include "support/listening_socket.h"

namespace slurm_adopt::test {
namespace {

// The first so many descriptors that epoll speaks of are listeners; the others are conversations.
void serve(const std::vector<Fd>& listeners, uid_t owner)
{
    const Fd events(::epoll_create1(EPOLL_CLOEXEC));
    const auto watch = [&](int fd, std::uint32_t is_listener) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = std::uint64_t{is_listener} << 32 | static_cast<std::uint32_t>(fd);
        return ::epoll_ctl(events.get(), EPOLL_CTL_ADD, fd, &event) == 0;
    };
    for (const Fd& listener : listeners)
        if (!watch(listener.get(), 1)) return;
    for (;;) {
        std::array<epoll_event, 64> ready{};
        const int count = ::epoll_wait(events.get(), ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < count; ++i) {
            const std::uint64_t what = ready[static_cast<std::size_t>(i)].data.u64;
            const int fd = static_cast<int>(what & 0xffffffffU);
            if (what >> 32 != 0) {
                const int peer = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
                if (peer >= 0 && !watch(peer, 0)) (void)::close(peer);
                continue;
            }
            std::array<std::int32_t, 2> question{};
            const std::array<std::int32_t, 2> answer = {release_22_05, static_cast<std::int32_t>(owner)};
            if (::recv(fd, question.data(), sizeof question, MSG_WAITALL) != sizeof question || question[1] != 20 ||
                ::send(fd, answer.data(), sizeof answer, MSG_NOSIGNAL) != sizeof answer)
                (void)::close(fd);
        }
    }
}

bool run(const std::vector<std::string>& paths, uid_t listener, std::optional<uid_t> owner, const Ready& ready)
{
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit enough{2 * paths.size() + 64, 2 * paths.size() + 64};
    if (::setrlimit(RLIMIT_NOFILE, &enough) != 0 || ::setresuid(listener, listener, listener) != 0) return false;
    std::vector<Fd> listeners;
    listeners.reserve(paths.size());
    try {
        for (const std::string& path : paths) listeners.push_back(listen_at(path, 64));
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "%s\n", error.what());
        return false;
    }
    if (!ready.tell()) return false;
    if (owner) serve(listeners, *owner);
    while (true) ::pause();
}

}  // namespace

ManySockets::ManySockets(const std::vector<std::string>& paths, uid_t listener, std::optional<uid_t> owner)
    : server_([&] { return run(paths, listener, owner, ready_); })
{
    if (!ready_.wait()) throw std::runtime_error("the sockets could not be made");
}

std::vector<std::string> step_socket_paths(const std::string& directory, const std::string& node, unsigned first,
                                           unsigned count)
{
    std::vector<std::string> paths;
    for (unsigned job_id = first; job_id < first + count; ++job_id)
        paths.push_back(directory + '/' + step_socket_name(node, job_id));
    return paths;
}

}  // namespace slurm_adopt::test
