// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "check/checks.h"
#include "slurm_adopt/fd.h"

namespace slurm_adopt::tool {

Found check_munge(const Node& node)
{
    // munged(8): the socket that its clients use by default.
    const std::string path = node.roots.run + "/munge/munge.socket.2";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return found_ok("munged listens at " + path);
    return found_warn(
        system_error(path).context +
            ": where Slurm authenticates by munge, slurmd takes no job, and of several jobs that of the source is not known",
        "start munged (systemctl enable --now munge)");
}

}  // namespace slurm_adopt::tool
