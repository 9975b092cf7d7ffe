// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's table of listening unix sockets, by netlink (sock_diag(7)).
//
// Against /proc/net/unix it has two advantages: names come with a length, so that a newline in a path forges
// nothing, and (Linux 5.3 and later) each socket comes with the uid that made it, so that a user's socket is told
// apart without touching its path, which may lie on a file system of the user's that never answers.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

struct ListeningSocket {
    std::string_view path;       // absolute; valid as long as the datagram
    std::optional<uid_t> owner;  // none where the kernel does not tell
};

// Gets each socket as it is read. The table of a node with many jobs is long, and a login wants a line or two of it:
// what is not wanted costs no memory.
using TakeSocket = std::function<void(const ListeningSocket&)>;

struct SocketTablePart {
    std::size_t listed = 0;  // messages read, those of other sockets too
    bool last = false;
};

// One datagram of the answer. `take` gets the sockets that have a path in the file system.
[[nodiscard]] Result<SocketTablePart> parse_socket_table(std::span<const std::byte> datagram, const TakeSocket& take);

// The sockets of this network namespace. After an error `take` may have got some of them.
[[nodiscard]] Result<Done> listening_unix_sockets(const TakeSocket& take, Deadline deadline);

}  // namespace slurm_adopt
