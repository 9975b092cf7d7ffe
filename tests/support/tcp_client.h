// SPDX-License-Identifier: GPL-2.0-or-later
// TCP connections over loopback whose far ends are in processes of their own, so that this one holds what sshd would hold.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "slurm_adopt/fd.h"
#include "support/descriptors.h"
#include "support/forked.h"

namespace slurm_adopt::test {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    SocketAddress(const std::string& address, std::uint16_t port)
    {
        sockaddr_in v4{};
        sockaddr_in6 v6{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1)
            std::memcpy(&storage, &v4, size = sizeof v4);
        else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1)
            std::memcpy(&storage, &v6, size = sizeof v6);
        else
            throw std::runtime_error("no address: " + address);
    }
    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// Port 0: any. On `::` it takes IPv4 as well.
class TcpListener {
public:
    explicit TcpListener(const std::string& address, std::uint16_t port = 0)
    {
        SocketAddress at(address, port);
        socket_ = Fd(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (::bind(socket_.get(), at.get(), at.size) != 0 || ::listen(socket_.get(), 16) != 0 ||
            ::getsockname(socket_.get(), at.get(), &at.size) != 0)
            throw std::runtime_error("cannot listen at " + address);
        port_ = ntohs(reinterpret_cast<sockaddr_in&>(at.storage).sin_port);  // at the same place for IPv6
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] Fd accept() const { return Fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

private:
    Fd socket_;
    std::uint16_t port_ = 0;
};

// A client that has connected, and stays until it is killed.
struct TcpClient {
    Forked process;
    Fd accepted;

    TcpClient(const TcpListener& listener, const std::string& from, const std::string& to)
        : process([&] {
              for (const int fd : open_descriptors())
                  if (fd > 2) (void)::close(fd);
              SocketAddress ours(from, 0);
              SocketAddress theirs(to, listener.port());
              const Fd socket(::socket(ours.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
              if (::bind(socket.get(), ours.get(), ours.size) != 0 ||
                  ::connect(socket.get(), theirs.get(), theirs.size) != 0)
                  return false;
              (void)::pause();
              return true;
          }),
          accepted(listener.accept())
    {
    }
};

}  // namespace slurm_adopt::test
