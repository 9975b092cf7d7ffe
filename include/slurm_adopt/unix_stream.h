// SPDX-License-Identifier: GPL-2.0-or-later
// Stream sockets of the unix domain (unix(7)), never blocking: every wait has a deadline, every descriptor is
// close-on-exec, and a peer that goes away raises no SIGPIPE.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// Connects at once or not at all. errno_value EAGAIN: the listener's backlog is full, try again;
// ECONNREFUSED or ENOENT: nobody listens there any more.
[[nodiscard]] Result<Fd> connect_unix(const std::string& path);

struct Peer {
    pid_t pid = 0;  // 0: in a pid namespace that we cannot see
    uid_t uid = 0;
};

// Who listens at the other end (SO_PEERCRED), as the kernel recorded it at listen(2).
[[nodiscard]] Result<Peer> peer_of(const Fd& socket);

[[nodiscard]] Result<Done> send_all(const Fd& socket, std::span<const std::byte> bytes, Deadline deadline);

// Fills `buffer` to the last byte. ErrorCode::closed if the stream ends before.
[[nodiscard]] Result<Done> receive_all(const Fd& socket, std::span<std::byte> buffer, Deadline deadline);

// A native-endian, unpacked int of 4 bytes.
[[nodiscard]] Result<std::int32_t> receive_int(const Fd& socket, Deadline deadline);

// One byte of data and exactly one descriptor with it (SCM_RIGHTS), which the caller owns.
[[nodiscard]] Result<Fd> receive_descriptor(const Fd& socket, Deadline deadline);

}  // namespace slurm_adopt
