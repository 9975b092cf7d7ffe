// SPDX-License-Identifier: GPL-2.0-or-later
// A listening unix socket in this process, for tests that need one to exist rather than to answer.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {

inline Fd listen_at(const std::string& path, int backlog = 16)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
    path.copy(address.sun_path, path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)::unlink(path.c_str());
    if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), backlog) != 0)
        throw std::runtime_error("listen at " + path + ": " + std::strerror(errno));
    return socket;
}

// The name of an extern step's socket.
inline std::string step_socket_name(const std::string& node, unsigned job_id)
{
    return node + '_' + std::to_string(job_id) + ".4294967292";
}

}  // namespace slurm_adopt::test
