// SPDX-License-Identifier: GPL-2.0-or-later
// A private XDG_RUNTIME_DIR (XDG Base Directory Specification) for users who get none from pam_systemd: owned by the
// user, mode 0700, there from the first session's begin to the last one's end.
//
//   <base>                 root's, 0755
//   <base>/user/<uid>      the directory: a tmpfs of its own (tmpfs(5)); a plain one where mounting is not permitted
//   <base>/sessions        0700
//   <base>/sessions/<uid>  0700: who uses it (session_registry.h). Locked (flock(2)) by whoever makes or removes the
//                          user's directory, registers there or drops sessions.
//   <base>/trash           0700: what is being removed (trash.h)
//
// A call waits for its own user's lock only. Sessions that were killed are swept, with their directories, by the next call
// for the same user, and for any other by a process that no user can stop (a setuid su can be, and would keep the lock).
//
// The caller may be in its job's mount namespace, and be one of two with different ones. What is mounted is that
// namespace's alone: sessions of one user share a tmpfs only within one namespace, and with the last session of all it goes
// in all. Where /run is the job's own too, so are the registry and its locks. Where `proc` is not the one of our own pid
// namespace the numbers in the registry mean nothing: then no session is taken for ended, and nothing is swept.
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

struct RuntimeDir {
    std::string path;  // to export
    bool limited;      // false: a plain directory, which the two limits above do not hold for
};

// Registers session `key` (session_registry.h: of this process, taken before it joined any namespace) as one of the user's
// and makes the directory if there is none. Once more for the same key changes nothing. EINVAL: no key, uid or gid.
// ErrorCode::untrusted: something that is not root's, or that others may write to, is where ours has to be; timed_out:
// another has held the user's lock for a second, or until the deadline. After an error this call has registered nothing.
[[nodiscard]] Result<RuntimeDir> open_runtime_dir(const RuntimeDirs& dirs, uid_t uid, gid_t gid, const std::string& key,
                                                  Deadline deadline);

// Unregisters the session, also where it fails then, and removes the user's directory with the last one. A session that is
// not registered is success. What is in a plain directory is out of the user's reach then; it is removed for half a
// second at most, and the rest by later calls.
[[nodiscard]] Result<Done> close_runtime_dir(const RuntimeDirs& dirs, uid_t uid, const std::string& key, Deadline deadline);

}  // namespace slurm_adopt
