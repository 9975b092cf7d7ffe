// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/connection.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr std::size_t v4_size = 4;
constexpr std::size_t mapped_prefix = 12;

Address from_v6(const in6_addr& v6)
{
    Address address;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        std::memcpy(address.bytes.data(), &v6.s6_addr[mapped_prefix], v4_size);
    } else {
        address.is_v6 = true;
        std::memcpy(address.bytes.data(), &v6, sizeof v6);
    }
    return address;
}

std::optional<Endpoint> endpoint_of(const sockaddr_storage& storage)
{
    Endpoint endpoint;
    if (storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        std::memcpy(endpoint.address.bytes.data(), &v4.sin_addr, v4_size);
        endpoint.port = ntohs(v4.sin_port);
        return endpoint;
    }
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage, sizeof v6);
        endpoint.address = from_v6(v6.sin6_addr);
        endpoint.port = ntohs(v6.sin6_port);
        return endpoint;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Connection> connection_of(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return std::nullopt;
    sockaddr_storage local{};
    sockaddr_storage peer{};
    size = sizeof local;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) return std::nullopt;
    size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
    const auto here = endpoint_of(local);
    const auto there = endpoint_of(peer);
    if (!here || !there) return std::nullopt;
    return Connection{*here, *there};
}

std::vector<int> open_descriptors(const std::string& process)
{
    const auto close_directory = [](DIR* open) { (void)::closedir(open); };
    const std::unique_ptr<DIR, decltype(close_directory)> open(::opendir((process + "/fd").c_str()), close_directory);
    std::vector<int> descriptors;
    while (const dirent* entry = open ? ::readdir(open.get()) : nullptr)
        if (const auto fd = parse_number<unsigned>(entry->d_name)) descriptors.push_back(static_cast<int>(*fd));
    std::sort(descriptors.begin(), descriptors.end());
    return descriptors;
}

bool same_program(const std::string& proc, const std::string& process)
{
    struct stat ours {};
    struct stat theirs {};
    // Not to be looked at is somebody else's.
    return ::stat((proc + "/self/exe").c_str(), &ours) == 0 && ::stat((process + "/exe").c_str(), &theirs) == 0 &&
           ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

namespace {

struct ClientSocket {
    int fd = -1;
    Connection connection;
};

std::optional<ClientSocket> client_socket(const std::string& proc, std::string_view remote_host)
{
    const auto wanted = parse_address(remote_host);
    std::optional<ClientSocket> outgoing;
    for (const int fd : open_descriptors(proc + "/self")) {
        const auto connection = connection_of(fd);
        if (!connection) continue;
        if (wanted) {
            if (connection->peer.address == *wanted) return ClientSocket{fd, *connection};
        } else if (connection->local.port < connection->peer.port) {
            return ClientSocket{fd, *connection};
        } else if (!outgoing) {
            outgoing = {fd, *connection};
        }
    }
    return outgoing;
}

bool holds_socket(const std::string& process, int socket)
{
    struct stat status {};
    if (::fstat(socket, &status) != 0) return false;
    const std::string wanted = "socket:[" + std::to_string(status.st_ino) + ']';
    for (const int fd : open_descriptors(process)) {
        // By its name: what lies behind a descriptor of another process may hang (a dead file server).
        char name[64];
        const ssize_t length = ::readlink((process + "/fd/" + std::to_string(fd)).c_str(), name, sizeof name);
        if (length > 0 && std::string_view(name, static_cast<std::size_t>(length)) == wanted) return true;
    }
    return false;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text)
{
    const std::string plain(text.substr(0, text.find('%')));  // a zone says nothing about the address
    in_addr v4{};
    if (::inet_pton(AF_INET, plain.c_str(), &v4) == 1) {
        Address address;
        std::memcpy(address.bytes.data(), &v4, sizeof v4);
        return address;
    }
    in6_addr v6{};
    if (::inet_pton(AF_INET6, plain.c_str(), &v6) == 1) return from_v6(v6);
    return std::nullopt;
}

std::string to_text(const Address& address)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (::inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text) == nullptr) return "?";
    return text;
}

std::optional<Connection> client_connection(const std::string& proc, std::string_view remote_host)
{
    if (const auto client = client_socket(proc, remote_host)) return client->connection;
    return std::nullopt;
}

std::optional<pid_t> parent_with_connection(const std::string& proc, std::string_view remote_host)
{
    const pid_t parent = ::getppid();
    if (parent <= 1 || ::getpgid(parent) != ::getpgrp()) return std::nullopt;
    const std::string process = proc + '/' + std::to_string(parent);
    // sshd's is root's. Of a user's own process (su's parent) the user decides when its program can be looked at: see hung.h.
    struct stat status {};
    if (::stat(process.c_str(), &status) != 0 || status.st_uid != 0 || !same_program(proc, process)) return std::nullopt;
    if (const auto client = client_socket(proc, remote_host)) {
        if (!holds_socket(process, client->fd)) return std::nullopt;
    } else if (remote_host != "UNKNOWN") {
        return std::nullopt;
    }
    return parent;
}

}  // namespace slurm_adopt
