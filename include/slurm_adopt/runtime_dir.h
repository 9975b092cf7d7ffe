// SPDX-License-Identifier: GPL-2.0-or-later
// A private XDG_RUNTIME_DIR (XDG Base Directory Specification) for users who get none from pam_systemd: owned by the
// user, mode 0700, there from the first session's begin to the last one's end.
//
//   <base>             root's, 0755
//   <base>/user/<uid>  the directory: a tmpfs of its own (tmpfs(5)), or a plain directory where mounting is not permitted
//   <base>/sessions    0700: who uses it (session_registry.h). Locked (flock(2)) by whoever changes anything here.
//   <base>/trash       0700: what is being removed (trash.h)
//
// Sessions that were killed are swept, with their directories, by the next call for any user. Call both in the same mount
// namespace, the host's: before a join into a job's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

struct RuntimeDirs {
    std::string base = "/run/slurm-adopt";  // its parent belongs to root and is there
    std::string proc = "/proc";
};

inline constexpr std::uint64_t runtime_dir_most_bytes = std::uint64_t{512} * 1024 * 1024;
inline constexpr std::uint64_t runtime_dir_most_files = 65536;

// Registers process `session` as a session of the user's and makes the directory if there is none; the path to export.
// Once more for the same process changes nothing. ErrorCode::untrusted: something that is not root's, or that others may
// write to, is where ours has to be; timed_out: others have held the lock until the deadline. After an error the process
// is not registered.
[[nodiscard]] Result<std::string> open_runtime_dir(const RuntimeDirs& dirs, uid_t uid, gid_t gid, pid_t session,
                                                   Deadline deadline);

// Unregisters the process, and removes the user's directory with the last session. A process that is not registered is
// success. What is in a plain directory is removed until the deadline; the rest is out of the user's reach and is removed
// by later calls.
[[nodiscard]] Result<Done> close_runtime_dir(const RuntimeDirs& dirs, uid_t uid, pid_t session, Deadline deadline);

}  // namespace slurm_adopt
