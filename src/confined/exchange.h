// SPDX-License-Identifier: GPL-2.0-or-later
// The one request and the one reply between the module and a program that it has started.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "log.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/unix_stream.h"

namespace slurm_adopt::helper {

// The module writes its request at once; it may be stopped, never slow.
inline constexpr std::chrono::seconds patience_with_module{5};

// Exit codes: 0 a reply was sent; 1 none could be; 2 not started by the module.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

[[nodiscard]] inline Result<helper_wire::Header> read_header(const Fd& socket, Deadline deadline)
{
    std::array<std::byte, sizeof(helper_wire::Header)> bytes{};
    if (auto received = receive_all(socket, bytes, deadline); !received) return std::move(received).error();
    return helper_wire::decode_header(bytes, helper_wire::Kind::request);
}

// The body that has to follow the header, and nothing behind it.
template <class Body>
[[nodiscard]] Result<Body> read_body(const Fd& socket, Deadline deadline)
{
    std::array<std::byte, sizeof(Body)> bytes{};
    if (auto received = receive_all(socket, bytes, deadline); !received) return std::move(received).error();
    std::byte more{};
    if (::recv(socket.get(), &more, 1, MSG_DONTWAIT | MSG_PEEK) > 0) return Error{ErrorCode::malformed, 0, "more than one request"};
    return helper_wire::decode_body<Body>(bytes);
}

// The exit code.
template <class Reply>
[[nodiscard]] int send_reply(const Fd& socket, helper_wire::Verb verb, const Reply& reply)
{
    const auto sent = send_all(socket, helper_wire::encode(verb, reply, ::getpid()), Deadline::after(patience_with_module));
    if (sent) return exit_done;
    log_error("reply: " + sent.error().context);
    return exit_failed;
}

}  // namespace slurm_adopt::helper
