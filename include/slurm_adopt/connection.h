// SPDX-License-Identifier: GPL-2.0-or-later
// The TCP connection a login came by.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slurm_adopt {

// An address in network byte order. An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is held as the IPv4 address it is.
struct Address {
    bool is_v6 = false;
    std::array<std::byte, 16> bytes{};  // IPv4: the first four

    friend bool operator==(const Address&, const Address&) = default;
};

struct Endpoint {
    Address address;
    std::uint16_t port = 0;  // host byte order

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// As seen from this machine.
struct Connection {
    Endpoint local;
    Endpoint peer;
};

// A numeric address, with or without an IPv6 zone; none for a host name.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

// "198.51.100.7" or "2001:db8::7".
[[nodiscard]] std::string to_text(const Address& address);

// The connected TCP socket behind a descriptor of this process; none where it is something else.
[[nodiscard]] std::optional<Connection> connection_of(int fd);

// The descriptors of a process, by its directory in /proc, from the lowest; none where they cannot be had.
[[nodiscard]] std::vector<int> open_descriptors(const std::string& process);

// Whether a process, by its directory in /proc, runs the file that this one runs. Follows the link to that file.
[[nodiscard]] bool same_program(const std::string& proc, const std::string& process);

// The connection of the login's client among this process's descriptors: a connected TCP socket whose peer is
// `remote_host` where that is a numeric address. Where several would do, the lowest descriptor: sshd has its
// connection before any module opens one. A host name decides nothing and is never looked up; then, with sockets to
// several peers, one that came in to a port below which no service of ours connects out (the local port is the
// lower one) goes before one that this process has opened.
[[nodiscard]] std::optional<Connection> client_connection(const std::string& proc, std::string_view remote_host);

// The parent, where this process was forked from it for one login's sake and holds the client's connection with it.
// With keyboard-interactive authentication sshd (OpenSSH 9.2 ... 10.6) asks PAM in a child that soon ends; the session
// comes from its parent, the connection's monitor. That is the same program in the same process group, with a
// descriptor of the same TCP connection; where sshd knows of no connection ("UNKNOWN", sshd -i on a pipe), the first
// two have to do. sshd's listener is none: it has closed the connection's descriptor, and from OpenSSH 9.8 on it is
// another program.
[[nodiscard]] std::optional<pid_t> parent_with_connection(const std::string& proc, std::string_view remote_host);

}  // namespace slurm_adopt
