// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's table of listening unix sockets, by netlink (sock_diag(7)).
//
// Against /proc/net/unix it has two advantages: names come with a length, so that a newline in a path forges
// nothing, and (Linux 5.3 and later) each socket comes with the uid that made it, so that a user's socket is told
// apart without touching its path, which may lie on a file system of the user's that never answers.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

struct ListeningSocket {
    std::string path;            // absolute
    std::optional<uid_t> owner;  // none where the kernel does not tell
};

struct SocketTablePart {
    std::vector<ListeningSocket> sockets;
    std::size_t listed = 0;  // messages read, those of other sockets too
    bool last = false;
};

// One datagram of the answer: the sockets whose path in the file system contains `part_of_path`. The others, of which
// a node with many jobs has as many again, cost no memory.
[[nodiscard]] Result<SocketTablePart> parse_socket_table(std::span<const std::byte> datagram, std::string_view part_of_path = {});

// The sockets of this network namespace whose path contains `part`.
[[nodiscard]] Result<std::vector<ListeningSocket>> listening_unix_sockets(std::string_view part, Deadline deadline);

}  // namespace slurm_adopt
