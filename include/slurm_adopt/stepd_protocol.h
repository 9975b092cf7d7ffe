// SPDX-License-Identifier: GPL-2.0-or-later
// What a client and slurmstepd say to each other on the step's socket (Slurm 22.05 ... 26.05).
//
// All integers are native-endian, unpacked and 4 bytes. The client opens with its protocol version; slurmstepd
// answers with its own (negative: refused). Then come any number of requests, each an int code and its arguments,
// answered in order; slurmstepd reads them from the stream one by one, so they may be sent in one write.
#pragma once

#include <cstdint>

namespace slurm_adopt::stepd_protocol {

// slurmstepd only checks that the client is not older than the oldest release it speaks to, so the highest
// number says "any release" (measured on 22.05; 24.11 and 26.05 take it too).
inline constexpr std::int32_t any_release = 0x7fff;

// Protocol versions are (release number << 8); 22.05 is 38, and every major release adds one.
inline constexpr std::int32_t release_25_11 = 44 << 8;

enum class Request : std::int32_t {
    step_state = 5,       // -> int32 StepState
    step_uid = 20,        // -> uid (uint32); answered to anybody
    add_extern_pid = 22,  // pid (int32) -> int32 result, 0 = the process is in the step
    x11_display = 23,     // -> int32 display (0 = none), int32 length, `length` bytes of the XAUTHORITY path with its NUL
    get_ns_fd = 26,       // before 25.11 -> int32: > 0 one descriptor follows, 0 none, < 0 error
    get_ns_fds = 28,      // 25.11 and later -> uint32 count, then per entry an int32 CLONE_NEW* and a descriptor
};

// Seen on 22.05, and on 24.11 and 26.05, which say 4 after it. A step that is ending still adopts, says 0, and does not end
// whom it adopted then.
enum class StepState : std::int32_t { starting = 1, running = 2, ending = 3 };

[[nodiscard]] constexpr bool lives(StepState state)
{
    return state == StepState::starting || state == StepState::running;
}

// A descriptor comes as SCM_RIGHTS with one byte of data (unix(7)).
// A slurmstepd of 25.11 or later answers nothing to get_ns_fd where the job has no namespace, and an older one
// closes the connection on get_ns_fds: which to ask follows from the handshake.

// More than any release sends; beyond it the peer is talking nonsense.
inline constexpr std::int32_t longest_xauthority = 4096;  // PATH_MAX
inline constexpr std::uint32_t most_namespaces = 16;

}  // namespace slurm_adopt::stepd_protocol
