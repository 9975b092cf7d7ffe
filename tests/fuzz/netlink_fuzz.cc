// SPDX-License-Identifier: GPL-2.0-or-later
// Datagrams of the kernel's socket table. They come from the kernel, but paths in them are anybody's.
#include <vector>

#include "input.h"
#include "require.h"
#include "slurm_adopt/socket_table.h"

using namespace slurm_adopt;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view datagram = fuzz::Input(data, size).rest();
    std::size_t taken = 0;
    const auto part = parse_socket_table(fuzz::bytes_of(datagram), [&](const ListeningSocket& socket) {
        ++taken;
        require(socket.path.starts_with('/') && socket.path.find('\0') == std::string_view::npos, "an absolute path without NUL");
        require(socket.path.data() >= datagram.data() && socket.path.data() + socket.path.size() <= datagram.data() + datagram.size(),
                "a path is part of the datagram");
    });
    if (!part) return 0;
    require(taken <= part.value().listed, "no more sockets than messages");
    // nlmsghdr is 16 bytes.
    require(part.value().listed <= size / 16, "no more messages than there is room for");
    return 0;
}
