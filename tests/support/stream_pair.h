// SPDX-License-Identifier: GPL-2.0-or-later
// Two connected sockets, and descriptors sent through them.
#pragma once

#include <sys/socket.h>

#include <cstring>
#include <stdexcept>
#include <vector>

#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {

struct StreamPair {
    StreamPair()
    {
        int both[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) throw std::runtime_error("socketpair");
        ours = Fd(both[0]);
        theirs = Fd(both[1]);
    }
    Fd ours;
    Fd theirs;
};

// One byte with these descriptors (SCM_RIGHTS); false if the kernel does not take them.
inline bool send_descriptors(const Fd& socket, const std::vector<int>& descriptors)
{
    char byte = 'd';
    iovec vector{.iov_base = &byte, .iov_len = 1};
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        if (header == nullptr) return false;
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
    }
    return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL) == 1;
}

}  // namespace slurm_adopt::test
