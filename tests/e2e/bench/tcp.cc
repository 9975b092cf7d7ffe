// SPDX-License-Identifier: GPL-2.0-or-later
#include "tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace slurm_adopt::e2e {
namespace {

sockaddr_in at(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool is_ready(int fd)
{
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 10'000) > 0;
}

}  // namespace

Tcp::Tcp() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
}

Tcp::~Tcp()
{
    (void)::close(fd_);
}

bool Tcp::listen_at(std::uint16_t port) const
{
    const int yes = 1;
    (void)::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const sockaddr_in address = at(port);
    return ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(fd_, 1) == 0;
}

bool Tcp::connect_to(std::uint16_t port) const
{
    const sockaddr_in address = at(port);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

int Tcp::accept_one() const
{
    return is_ready(fd_) ? ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC) : -1;
}

void Tcp::say(const std::string& text) const
{
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
}

std::string Tcp::hear(std::size_t length) const
{
    std::string text;
    char buffer[64];
    while (text.size() < length && is_ready(fd_)) {
        const ssize_t got = ::read(fd_, buffer, sizeof buffer);
        if (got <= 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

}  // namespace slurm_adopt::e2e
