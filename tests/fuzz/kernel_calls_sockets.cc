// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls about sockets, and waiting for them.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "failing_memory.h"
#include "kernel.h"
#include "require.h"

using namespace slurm_adopt::fuzz;
using slurm_adopt::test::MemoryIsThere;

namespace {

Talk& talk_of(Kernel& kernel, int fd)
{
    Descriptor* const open = kernel.find(fd);
    require(open != nullptr && (open->kind == Descriptor::Kind::stream || open->kind == Descriptor::Kind::helper), "a connected stream");
    require(open->talk < kernel.talks.size(), "a stream is connected before it is used");
    return kernel.talks[open->talk];
}

// What can be read now: -1 and EAGAIN, ECONNRESET, 0 at the end, or how many bytes of the first item.
ssize_t readable(Kernel& kernel, const Talk& talk, std::size_t size)
{
    if (!talk.coming.empty() && talk.coming.front().at <= kernel.now()) {
        const std::size_t chunk = talk.step < 0 ? 0 : kernel.world.steps[static_cast<std::size_t>(talk.step)].chunk;
        return static_cast<ssize_t>(std::min({size, talk.coming.front().bytes.size(), chunk == 0 ? size : chunk}));
    }
    if (talk.is_reset) return fail_with(ECONNRESET);
    if (talk.is_closed && talk.coming.empty()) return 0;
    return fail_with(EAGAIN);
}

void take(Talk& talk, void* buffer, std::size_t size)
{
    Item& item = talk.coming.front();
    std::memcpy(buffer, item.bytes.data(), size);
    talk.delivered.append(item.bytes, 0, size);
    item.bytes.erase(0, size);
    item.descriptors = 0;
    if (item.bytes.empty()) talk.coming.pop_front();
}

bool is_ready(Kernel& kernel, const pollfd& each)
{
    const Descriptor* const open = kernel.find(each.fd);
    require(open != nullptr, "an open descriptor is waited for");
    if (open->kind == Descriptor::Kind::netlink) return !kernel.netlink.empty();
    if ((each.events & POLLOUT) != 0) return true;
    return kernel.is_readable(kernel.talks.at(open->talk));
}

// The next time when something can have changed.
std::chrono::nanoseconds next_event(Kernel& kernel, const pollfd* first, nfds_t count, std::chrono::nanoseconds end)
{
    for (nfds_t i = 0; i < count; ++i) {
        const Descriptor* const open = kernel.find(first[i].fd);
        if (open == nullptr || open->kind == Descriptor::Kind::netlink) continue;
        const Talk& talk = kernel.talks.at(open->talk);
        if (!talk.coming.empty()) end = std::min(end, std::max(talk.coming.front().at, kernel.now()));
    }
    if (kernel.helper.is_alive) end = std::min(end, std::max(kernel.helper.dies_at, kernel.now()));
    return end;
}

sockaddr_storage address_of(const Kernel& kernel, int fd, bool peer)
{
    sockaddr_storage storage{};
    if (kernel.world.connection == 4) {
        storage.ss_family = AF_UNIX;
    } else if (kernel.world.connection == 2) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(peer ? 50000 : 22);
        v6.sin6_addr.s6_addr[0] = 0x20;
        v6.sin6_addr.s6_addr[1] = 0x01;
        v6.sin6_addr.s6_addr[2] = 0x0d;
        v6.sin6_addr.s6_addr[3] = 0xb8;
        v6.sin6_addr.s6_addr[15] = peer ? 7 : 1;
        std::memcpy(&storage, &v6, sizeof v6);
    } else {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(peer != (fd == 6) ? 50000 : 22);
        v4.sin_addr.s_addr = htonl(peer ? 0xc0000207U + (fd == 6 ? 1U : 0U) : 0xc0000201U);
        std::memcpy(&storage, &v4, sizeof v4);
    }
    return storage;
}

int name_of(int fd, sockaddr* address, socklen_t* size, bool peer)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "socket names are asked for by the module");
    if (const int error = kernel->fault({ENOTCONN})) return fail_with(error);
    if (fd != Kernel::client_socket && fd != Kernel::other_socket) return fail_with(ENOTSOCK);
    const sockaddr_storage storage = address_of(*kernel, fd, peer);
    std::memcpy(address, &storage, std::min<std::size_t>(*size, sizeof storage));
    return 0;
}

}  // namespace

extern "C" {

int __wrap_socket(int domain, int type, int)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "socket() is the module's");
    const MemoryIsThere guard;
    require((type & SOCK_CLOEXEC) != 0 && (type & SOCK_NONBLOCK) != 0, "a socket is close-on-exec and does not block");
    if (const int error = kernel->fault({EMFILE, ENFILE, ENOBUFS, EACCES})) return fail_with(error);
    if (domain == AF_NETLINK && kernel->world.listing == 2) return fail_with(EPROTONOSUPPORT);
    if (domain == AF_NETLINK && kernel->world.listing == 4) return fail_with(EPERM);
    Descriptor descriptor;
    descriptor.kind = domain == AF_NETLINK ? Descriptor::Kind::netlink : Descriptor::Kind::stream;
    descriptor.talk = kernel->talks.max_size();
    if (domain == AF_NETLINK) kernel->netlink = kernel->datagrams();
    return kernel->open(std::move(descriptor));
}

int __wrap_socketpair(int, int type, int, int* pair)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "socketpair() is the module's");
    const MemoryIsThere guard;
    require((type & SOCK_CLOEXEC) != 0, "a socket is close-on-exec");
    if (const int error = kernel->fault({EMFILE, ENFILE})) return fail_with(error);
    Descriptor ours;
    ours.kind = Descriptor::Kind::helper;
    ours.talk = kernel->talks.size();
    kernel->talks.emplace_back();
    pair[0] = kernel->open(ours);
    Descriptor theirs;
    theirs.kind = Descriptor::Kind::other;
    pair[1] = kernel->open(theirs);
    return 0;
}

int __wrap_connect(int fd, const sockaddr* address, socklen_t)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "connect() is the module's");
    const MemoryIsThere guard;
    Descriptor* const open = kernel->find(fd);
    require(open != nullptr && open->kind == Descriptor::Kind::stream, "a stream is connected");
    if (const int error = kernel->fault({ECONNREFUSED, ENOENT, EAGAIN, EACCES, EINTR})) return fail_with(error);
    const auto* const name = reinterpret_cast<const sockaddr_un*>(address);
    const std::string path(name->sun_path, strnlen(name->sun_path, sizeof name->sun_path));
    const int found = kernel->step_at(path);
    if (found < 0) return fail_with(ENOENT);
    const Step& step = kernel->world.steps[static_cast<std::size_t>(found)];
    if (!step.has_file || kernel->is_gone(step)) return fail_with(ENOENT);
    require(step.is_socket && step.file_owner == 0, "nobody connects to what is not a socket of root's");
    if (!step.is_listed) return fail_with(ECONNREFUSED);
    if (step.connect_error != 0) return fail_with(step.connect_error);
    open->talk = kernel->talks.size();
    kernel->talks.emplace_back();
    kernel->talks.back().step = found;
    return 0;
}

int __wrap_getsockopt(int fd, int, int option, void* value, socklen_t* size)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "getsockopt() is the module's");
    const MemoryIsThere guard;
    if (const int error = kernel->fault({EINVAL, ENOPROTOOPT})) return fail_with(error);
    if (option == SO_TYPE) {
        if (fd != Kernel::client_socket && fd != Kernel::other_socket) return fail_with(ENOTSOCK);
        const int type = SOCK_STREAM;
        std::memcpy(value, &type, sizeof type);
        return 0;
    }
    require(option == SO_PEERCRED && *size == sizeof(ucred), "credentials are asked for");
    const Talk& talk = talk_of(*kernel, fd);
    require(talk.step >= 0, "of a slurmstepd");
    const Step& step = kernel->world.steps[static_cast<std::size_t>(talk.step)];
    ucred credentials{};
    credentials.pid = step.hides_pid ? 0 : step.pid;
    credentials.uid = step.peer;
    std::memcpy(value, &credentials, sizeof credentials);
    return 0;
}

int __wrap_getsockname(int fd, sockaddr* address, socklen_t* size)
{
    return name_of(fd, address, size, false);
}

int __wrap_getpeername(int fd, sockaddr* address, socklen_t* size)
{
    return name_of(fd, address, size, true);
}

ssize_t __wrap_send(int fd, const void* bytes, size_t size, int flags)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "send() is the module's");
    const MemoryIsThere guard;
    require((flags & MSG_NOSIGNAL) != 0, "no SIGPIPE for the host");
    if (const int error = kernel->fault({EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS})) return fail_with(error);
    if (kernel->find(fd) != nullptr && kernel->find(fd)->kind == Descriptor::Kind::netlink) return static_cast<ssize_t>(size);
    const Talk& talk = talk_of(*kernel, fd);
    if (talk.is_closed || talk.is_reset) return fail_with(EPIPE);
    const std::size_t chunk = talk.step < 0 ? 0 : kernel->world.steps[static_cast<std::size_t>(talk.step)].chunk;
    const std::size_t taken = chunk == 0 ? size : std::min(size, chunk);
    kernel->hear(kernel->find(fd)->talk, {static_cast<const char*>(bytes), taken});
    return static_cast<ssize_t>(taken);
}

ssize_t __wrap_recv(int fd, void* buffer, size_t size, int flags)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "recv() is the module's");
    const MemoryIsThere guard;
    require((flags & MSG_DONTWAIT) != 0, "nobody waits without an end");
    if (const int error = kernel->fault({EINTR, EAGAIN, ECONNRESET, EIO, ENOBUFS})) return fail_with(error);
    const Descriptor* const open = kernel->find(fd);
    if (open != nullptr && open->kind == Descriptor::Kind::netlink) {
        if (kernel->netlink.empty()) return fail_with(EAGAIN);
        const std::string datagram = kernel->netlink.front();
        kernel->netlink.pop_front();
        std::memcpy(buffer, datagram.data(), std::min(size, datagram.size()));
        return static_cast<ssize_t>(std::min(size, datagram.size()));
    }
    Talk& talk = talk_of(*kernel, fd);
    const ssize_t got = readable(*kernel, talk, size);
    if (got > 0) take(talk, buffer, static_cast<std::size_t>(got));
    return got;
}

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags)
{
    Kernel* const kernel = Kernel::running();
    require(kernel != nullptr, "recvmsg() is the module's");
    const MemoryIsThere guard;
    require((flags & MSG_DONTWAIT) != 0 && (flags & MSG_CMSG_CLOEXEC) != 0, "nobody waits without an end, and descriptors are close-on-exec");
    if (const int error = kernel->fault({EINTR, EAGAIN, ECONNRESET, EIO})) return fail_with(error);
    Talk& talk = talk_of(*kernel, fd);
    const ssize_t got = readable(*kernel, talk, message->msg_iov->iov_len);
    if (got <= 0) return got;
    const int sent = talk.coming.front().descriptors;
    take(talk, message->msg_iov->iov_base, static_cast<std::size_t>(got));
    // As many as there is room for; the kernel keeps the rest.
    const int room = static_cast<int>((message->msg_controllen - CMSG_LEN(0)) / sizeof(int));
    const int count = std::min(sent, room);
    message->msg_flags = sent > room ? MSG_CTRUNC : 0;
    message->msg_controllen = count == 0 ? 0 : CMSG_SPACE(static_cast<std::size_t>(count) * sizeof(int));
    if (count == 0) return got;
    cmsghdr header{};
    header.cmsg_level = SOL_SOCKET;
    header.cmsg_type = SCM_RIGHTS;
    header.cmsg_len = CMSG_LEN(static_cast<std::size_t>(count) * sizeof(int));
    std::memcpy(message->msg_control, &header, sizeof header);
    for (int i = 0; i < count; ++i) {
        Descriptor descriptor;
        descriptor.kind = Descriptor::Kind::other;
        const int received = kernel->open(descriptor);
        std::memcpy(static_cast<char*>(message->msg_control) + CMSG_LEN(0) + static_cast<std::size_t>(i) * sizeof(int), &received, sizeof received);
    }
    return got;
}

int __real_poll(pollfd*, nfds_t, int);
int __wrap_poll(pollfd* first, nfds_t count, int timeout)
{
    Kernel* const kernel = Kernel::running();
    if (kernel == nullptr) return __real_poll(first, count, timeout);
    const MemoryIsThere guard;
    require(timeout >= 0, "nobody waits without an end");
    const auto end = kernel->now() + std::chrono::milliseconds(timeout);
    if (const int error = kernel->fault({EINTR, ENOMEM})) return fail_with(error);
    for (;;) {
        kernel->let_helper_live();
        int ready = 0;
        for (nfds_t i = 0; i < count; ++i) {
            first[i].revents = is_ready(*kernel, first[i]) ? first[i].events : static_cast<short>(0);
            if (first[i].revents != 0) ++ready;
        }
        if (ready > 0 || kernel->now() >= end) return ready;
        kernel->pass_time(std::max(next_event(*kernel, first, count, end) - kernel->now(), std::chrono::nanoseconds(1000)));
    }
}
}
