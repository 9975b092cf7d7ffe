// SPDX-License-Identifier: GPL-2.0-or-later
// The connection that a login is to be thought of as coming by: --from, or the ssh session that the tool runs in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/connection.h"

namespace slurm_adopt::tool {

struct From {
    Address address;
    std::optional<std::uint16_t> port;

    friend bool operator==(const From&, const From&) = default;
};

// "198.51.100.7", "198.51.100.7:40022", "2001:db8::7", "[2001:db8::7]:40022"; none for anything else.
[[nodiscard]] std::optional<From> parse_from(std::string_view text);

// SSH_CONNECTION of ssh(1): "client-address client-port server-address server-port".
[[nodiscard]] std::optional<Connection> parse_ssh_connection(std::string_view text);

// The established TCP connections in the text of /proc/net/tcp or tcp6 (proc_net_tcp(5)), as seen from this machine.
[[nodiscard]] std::vector<Connection> parse_tcp_table(std::string_view text);

struct Source {
    std::optional<Connection> connection;  // none: the source node is not asked
    std::optional<Connection> client;      // only for the client's address and our port: set for several connections as well
    std::string remote_host;               // PAM_RHOST of such a login; empty: a login without a source
    std::string note;                      // where it comes from, or why there is none; for people
};

// The connection from there that this node has, by the tables below `proc`. Where it has none, the one that an ssh login
// from there would come by; that nobody has it open is in the note. Of several, none: the note names their ports.
[[nodiscard]] Source source_of(const std::string& proc, const From& from);

// By the text of SSH_CONNECTION; nullptr or empty: it is not set.
[[nodiscard]] Source source_of_session(const char* ssh_connection);

}  // namespace slurm_adopt::tool
