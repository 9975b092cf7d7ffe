// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t longest_table = std::size_t{64} * 1024 * 1024;
constexpr std::string_view established = "01";  // TCP_ESTABLISHED

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    const auto port = parse_number<std::uint16_t>(text);
    return port && *port != 0 ? port : std::nullopt;
}

template <class Number>
std::optional<Number> parse_hex(std::string_view text)
{
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return number;
}

// "0100007F:1F90": words of 32 bits as this machine has them in memory, then the port.
std::optional<Endpoint> parse_endpoint(std::string_view text)
{
    const std::size_t colon = text.find(':');
    if (colon != 8 && colon != 32) return std::nullopt;
    std::array<std::uint32_t, 4> words{};
    for (std::size_t word = 0; word < colon / 8; ++word) {
        const auto value = parse_hex<std::uint32_t>(text.substr(word * 8, 8));
        if (!value) return std::nullopt;
        words[word] = *value;
    }
    char name[INET6_ADDRSTRLEN] = "";
    if (::inet_ntop(colon == 8 ? AF_INET : AF_INET6, words.data(), name, sizeof name) == nullptr) return std::nullopt;
    const auto address = parse_address(name);  // an IPv4-mapped one becomes what it is
    const auto port = parse_hex<std::uint16_t>(text.substr(colon + 1));
    if (!address || !port) return std::nullopt;
    return Endpoint{*address, *port};
}

std::vector<std::string_view> words_of(std::string_view line)
{
    std::vector<std::string_view> words = split(line, ' ');
    std::erase_if(words, [](std::string_view word) { return word.empty(); });
    return words;
}

std::uint16_t ssh_port()
{
    // The services database may not be there; then the number that IANA has given it (RFC 4253, 4.1).
    constexpr std::uint16_t assigned = 22;
    servent entry{};
    servent* found = nullptr;
    std::array<char, 1024> buffer{};
    if (::getservbyname_r("ssh", "tcp", &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return assigned;
    return ntohs(static_cast<std::uint16_t>(found->s_port));
}

// Our address for somebody: what the kernel would send from. Connecting a datagram socket sends nothing.
std::optional<Address> address_towards(const Address& peer)
{
    const Fd socket(::socket(peer.is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage there{};
    socklen_t size = 0;
    if (peer.is_v6) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(ssh_port());
        std::memcpy(&v6.sin6_addr, peer.bytes.data(), sizeof v6.sin6_addr);
        std::memcpy(&there, &v6, size = sizeof v6);
    } else {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(ssh_port());
        std::memcpy(&v4.sin_addr, peer.bytes.data(), sizeof v4.sin_addr);
        std::memcpy(&there, &v4, size = sizeof v4);
    }
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), size) != 0) return std::nullopt;
    sockaddr_storage here{};
    size = sizeof here;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&here), &size) != 0) return std::nullopt;
    char name[INET6_ADDRSTRLEN] = "";
    const void* bytes = here.ss_family == AF_INET6
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(here).sin6_addr)
                            : static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(here).sin_addr);
    return ::inet_ntop(here.ss_family, bytes, name, sizeof name) == nullptr ? std::nullopt : parse_address(name);
}

std::vector<Connection> connections_from(const std::string& proc, const From& from)
{
    std::vector<Connection> found;
    for (const char* table : {"/net/tcp", "/net/tcp6"}) {
        const auto text = read_file(proc + table, longest_table);
        if (!text) continue;
        for (const Connection& connection : parse_tcp_table(text.value())) {
            // As in client_connection(): a service's port is the lower one.
            const bool is_incoming = from.port || connection.local.port < connection.peer.port;
            if (connection.peer.address == from.address && is_incoming && (!from.port || *from.port == connection.peer.port))
                found.push_back(connection);
        }
    }
    return found;
}

}  // namespace

std::optional<From> parse_from(std::string_view text)
{
    if (const auto address = parse_address(text); address && text.find('%') == std::string_view::npos)
        return From{*address, {}};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = parse_address(host);
    const auto port = parse_port(text.substr(colon + 1));
    // A bare IPv6 address and a port cannot be told apart.
    if (!address || !port || bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
    return From{*address, port};
}

std::optional<Connection> parse_ssh_connection(std::string_view text)
{
    const auto words = words_of(text);
    if (words.size() != 4) return std::nullopt;
    const auto peer = parse_address(words[0]);
    const auto peer_port = parse_port(words[1]);
    const auto local = parse_address(words[2]);
    const auto local_port = parse_port(words[3]);
    if (!peer || !peer_port || !local || !local_port) return std::nullopt;
    return Connection{{*local, *local_port}, {*peer, *peer_port}};
}

std::vector<Connection> parse_tcp_table(std::string_view text)
{
    std::vector<Connection> connections;
    for (std::string_view line : split(text, '\n')) {
        const auto words = words_of(line);
        if (words.size() < 4 || words[3] != established) continue;
        const auto local = parse_endpoint(words[1]);
        const auto peer = parse_endpoint(words[2]);
        if (local && peer) connections.push_back({*local, *peer});
    }
    return connections;
}

Source source_of(const std::string& proc, const From& from)
{
    Source source;
    source.remote_host = to_text(from.address);
    const auto found = connections_from(proc, from);
    // The service with the lower port is the likelier one to be sshd.
    const auto by_port = [](const Connection& a, const Connection& b) { return a.local.port < b.local.port; };
    if (!found.empty()) source.client = *std::min_element(found.begin(), found.end(), by_port);
    if (found.size() == 1) {
        source.connection = found.front();
        source.note = fmt::format("--from: the connection {} port {} to {} port {}", source.remote_host,
                                  found.front().peer.port, to_text(found.front().local.address), found.front().local.port);
        return source;
    }
    if (!found.empty()) {
        std::string ports;
        for (const Connection& connection : found)
            ports += fmt::format("{}{}", ports.empty() ? "" : ", ", connection.peer.port);
        source.note = fmt::format("--from: {} connections from {}, from ports {}; name one: --from ADDR:PORT", found.size(),
                                  source.remote_host, ports);
        return source;
    }
    const auto here = address_towards(from.address);
    if (!here) {
        source.note = fmt::format("--from: this node has no connection from {} and no route to it", source.remote_host);
        return source;
    }
    source.connection = Connection{{*here, ssh_port()}, {from.address, from.port.value_or(0)}};
    source.client = source.connection;
    source.note =
        fmt::format("--from: {} has no such connection open to this node now; the source node names a job only for one",
                    source.remote_host);
    return source;
}

Source source_of_session(const char* ssh_connection)
{
    Source source;
    if (ssh_connection == nullptr || *ssh_connection == '\0') {
        source.note = "no --from, and not in an ssh session (SSH_CONNECTION)";
        return source;
    }
    source.connection = parse_ssh_connection(ssh_connection);
    if (!source.connection) {
        source.note = "SSH_CONNECTION is not what ssh sets: " + printable(ssh_connection);
        return source;
    }
    source.client = source.connection;
    source.remote_host = to_text(source.connection->peer.address);
    source.note = fmt::format("SSH_CONNECTION: the connection {} port {}", source.remote_host, source.connection->peer.port);
    return source;
}

}  // namespace slurm_adopt::tool
