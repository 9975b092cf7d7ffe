// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/socket_table.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"

namespace slurm_adopt {
namespace {

// Newer than the headers of Debian 11 and EL 8 (linux/unix_diag.h of Linux 5.3).
constexpr std::uint32_t show_uid = 0x40;         // UDIAG_SHOW_UID
constexpr std::uint16_t attribute_uid = 7;       // UNIX_DIAG_UID
constexpr int largest_errno = 4095;              // MAX_ERRNO of Linux
constexpr std::size_t most_listed = 1'000'000;   // whoever makes more sockets wants to exhaust us

// The structure at the beginning of `bytes`, which it is taken off; none if there is not that much.
template <class Header>
std::optional<Header> take_off(std::span<const std::byte>& bytes)
{
    Header header{};
    if (bytes.size() < sizeof header) return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof header);
    bytes = bytes.subspan(sizeof header);
    return header;
}

constexpr std::size_t aligned(std::size_t length)
{
    return (length + 3) & ~std::size_t{3};  // NLMSG_ALIGNTO, NLA_ALIGNTO
}

std::optional<ListeningSocket> parse_socket(std::span<const std::byte> message)
{
    if (!take_off<unix_diag_msg>(message)) return std::nullopt;
    ListeningSocket socket;
    while (true) {
        const auto whole = message;
        const auto attribute = take_off<nlattr>(message);
        if (!attribute || attribute->nla_len < sizeof *attribute || attribute->nla_len > whole.size()) break;
        const auto value = whole.subspan(sizeof *attribute, attribute->nla_len - sizeof *attribute);
        if (attribute->nla_type == UNIX_DIAG_NAME) {
            std::string_view path(reinterpret_cast<const char*>(value.data()), value.size());
            path = path.substr(0, path.find('\0'));  // "/a\0", and nothing of an abstract "\0a"
            if (!path.starts_with('/')) return std::nullopt;
            socket.path = path;
        } else if (attribute->nla_type == attribute_uid && value.size() == sizeof(std::uint32_t)) {
            std::uint32_t uid = 0;
            std::memcpy(&uid, value.data(), sizeof uid);
            socket.owner = uid;
        }
        message = whole.subspan(std::min(aligned(attribute->nla_len), whole.size()));
    }
    if (socket.path.empty()) return std::nullopt;
    return socket;
}

Result<Fd> ask()
{
    Fd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    if (!netlink) return system_error("sock_diag");
    struct {
        nlmsghdr header;
        unix_diag_req request;
    } query{};
    query.header.nlmsg_len = sizeof query;
    query.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    query.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    query.request.sdiag_family = AF_UNIX;
    query.request.udiag_states = 1U << TCP_LISTEN;
    query.request.udiag_show = UDIAG_SHOW_NAME | show_uid;
    if (::send(netlink.get(), &query, sizeof query, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof query))
        return system_error("sock_diag: send");
    return netlink;
}

}  // namespace

Result<SocketTablePart> parse_socket_table(std::span<const std::byte> datagram, const TakeSocket& take)
{
    SocketTablePart part;
    while (!datagram.empty()) {
        const auto whole = datagram;
        const auto header = take_off<nlmsghdr>(datagram);
        if (!header || header->nlmsg_len < sizeof *header || header->nlmsg_len > whole.size())
            return Error{ErrorCode::malformed, 0, "sock_diag: cut message"};
        auto message = whole.subspan(sizeof *header, header->nlmsg_len - sizeof *header);
        if (header->nlmsg_type == NLMSG_DONE) {
            part.last = true;
            return part;
        }
        if (header->nlmsg_type == NLMSG_ERROR) {
            // A negative errno (netlink(7)). Anything else is none, and the least number there is has no positive one.
            const auto error = take_off<int>(message);
            return system_error("sock_diag", error && *error < 0 && *error >= -largest_errno ? -*error : EPROTO);
        }
        ++part.listed;
        if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY)
            if (const auto socket = parse_socket(message)) take(*socket);
        datagram = whole.subspan(std::min(aligned(header->nlmsg_len), whole.size()));
    }
    return part;
}

Result<Done> listening_unix_sockets(const TakeSocket& take, Deadline deadline)
{
    const auto netlink = ask();
    if (!netlink) return netlink.error();
    // On the stack: the heap would have to grow by it and shrink again.
    std::array<std::byte, std::size_t{16} * 1024> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): recv() writes it
    for (std::size_t listed = 0; listed < most_listed;) {
        const ssize_t got = uninterrupted([&] { return ::recv(netlink.value().get(), buffer.data(), buffer.size(), MSG_DONTWAIT); });
        if (got < 0) {
            if (errno != EAGAIN) return system_error("sock_diag: recv");
            pollfd waiting{.fd = netlink.value().get(), .events = POLLIN, .revents = 0};
            if (deadline.passed()) return Error{ErrorCode::timed_out, 0, "sock_diag: no answer in time"};
            (void)::poll(&waiting, 1, deadline.poll_timeout());
            continue;
        }
        auto answer = parse_socket_table(std::span<const std::byte>(buffer).first(static_cast<std::size_t>(got)), take);
        if (!answer) return std::move(answer).error();
        listed += answer.value().listed;
        if (answer.value().last) return Done{};
    }
    return Error{ErrorCode::too_large, 0, "sock_diag: too many sockets"};
}

}  // namespace slurm_adopt
