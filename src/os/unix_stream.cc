// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/unix_stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "slurm_adopt/interrupted.h"

namespace slurm_adopt {
namespace {

// Waits until `socket` is ready for `events`, or the deadline has passed.
Result<Done> wait_for(const Fd& socket, short events, Deadline deadline)
{
    for (;;) {
        pollfd waiting{.fd = socket.get(), .events = events, .revents = 0};
        const int ready = ::poll(&waiting, 1, deadline.poll_timeout());
        if (ready > 0) return Done{};
        if (ready == 0) return Error{ErrorCode::timed_out, 0, "no answer in time"};
        if (errno != EINTR) return system_error("poll");
        // Interrupted: a storm of signals must not carry us past the deadline.
        if (deadline.passed()) return Error{ErrorCode::timed_out, 0, "no answer in time"};
    }
}

Error peer_gone_or_error(const char* what)
{
    // The peer closed while our bytes were on the way: the same as a closed stream.
    if (errno == EPIPE || errno == ECONNRESET) return Error{ErrorCode::closed, errno, "the peer closed the connection"};
    return system_error(what);
}

// More than the one we expect.
constexpr std::size_t most_received = 4;

struct Received {
    std::array<Fd, most_received> descriptors;
    std::size_t count = 0;
};

// The descriptors of a message, owned, so that none is lost whatever the peer sent; and without memory, which may be out.
Received descriptors_of(msghdr& message)
{
    Received received;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count && received.count < most_received; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            received.descriptors[received.count++] = Fd(fd);
        }
    }
    return received;
}

}  // namespace

Result<Fd> connect_unix(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return system_error("connect", ENAMETOOLONG);
    std::copy(path.begin(), path.end(), address.sun_path);

    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return system_error("socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return system_error("connect");
    return socket;
}

Result<Peer> peer_of(const Fd& socket)
{
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return system_error("SO_PEERCRED");
    return Peer{credentials.pid, credentials.uid};
}

Result<Done> send_all(const Fd& socket, std::span<const std::byte> bytes, Deadline deadline)
{
    while (!bytes.empty()) {
        const ssize_t sent =
            uninterrupted([&] { return ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
        if (sent >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
            continue;
        }
        if (errno != EAGAIN) return peer_gone_or_error("send");
        if (auto ready = wait_for(socket, POLLOUT, deadline); !ready) return std::move(ready).error();
    }
    return Done{};
}

Result<Done> receive_all(const Fd& socket, std::span<std::byte> buffer, Deadline deadline)
{
    while (!buffer.empty()) {
        const ssize_t got = uninterrupted([&] { return ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT); });
        if (got == 0) return Error{ErrorCode::closed, 0, "the peer closed the connection"};
        if (got > 0) {
            buffer = buffer.subspan(static_cast<std::size_t>(got));
            continue;
        }
        if (errno != EAGAIN) return peer_gone_or_error("recv");
        if (auto ready = wait_for(socket, POLLIN, deadline); !ready) return std::move(ready).error();
    }
    return Done{};
}

Result<std::int32_t> receive_int(const Fd& socket, Deadline deadline)
{
    std::int32_t number = 0;
    auto received = receive_all(socket, std::as_writable_bytes(std::span(&number, 1)), deadline);
    if (!received) return std::move(received).error();
    return number;
}

Result<Fd> receive_descriptor(const Fd& socket, Deadline deadline)
{
    for (;;) {
        std::byte data{};
        iovec vector{.iov_base = &data, .iov_len = 1};
        // Room for more than the one we expect: what is not received would be lost in the kernel, what is too
        // much is closed by its owner below.
        alignas(cmsghdr) std::byte control[CMSG_SPACE(most_received * sizeof(int))];
        msghdr message{};
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t got = uninterrupted([&] { return ::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
        if (got == 0) return Error{ErrorCode::closed, 0, "the peer closed the connection"};
        if (got < 0) {
            if (errno != EAGAIN) return peer_gone_or_error("recvmsg");
            if (auto ready = wait_for(socket, POLLIN, deadline); !ready) return std::move(ready).error();
            continue;
        }
        Received received = descriptors_of(message);
        if (received.count != 1 || (message.msg_flags & MSG_CTRUNC) != 0)
            return Error{ErrorCode::protocol, 0, "expected one descriptor, got " + std::to_string(received.count)};
        return std::move(received.descriptors.front());
    }
}

}  // namespace slurm_adopt
