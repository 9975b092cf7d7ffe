// SPDX-License-Identifier: GPL-2.0-or-later
// Which login sessions a user has, as files: <sessions>/<uid>/<pid>.<start time>.
//
// The start time (field 22 of /proc/<pid>/stat, clock ticks since boot; proc(5)) tells a process from a later one with
// the same number, so that a session that was killed ends by itself. Who registers or drops holds the user's lock
// (runtime_dir.h); the rest needs none.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "slurm_adopt/result.h"

namespace slurm_adopt {

// "<pid>.<start time>" by the text of /proc/<pid>/stat; none if the process has ended (a zombie).
[[nodiscard]] Result<std::optional<std::string>> parse_session_key(std::string_view stat);

// The same, of process `pid` ("self" too); none if there is no such process, or if
// another one has none of root's ids. `proc` is where /proc is.
[[nodiscard]] Result<std::optional<std::string>> session_key(const std::string& proc, const std::string& pid);

// The pid in a key; none if the text is no key, and so no name for a file of ours.
[[nodiscard]] std::optional<std::uint32_t> session_pid(std::string_view key);

// Makes the user's directory below `sessions` and the file in it. False if it is there already.
[[nodiscard]] Result<bool> register_session(int sessions, const std::string& user, const std::string& key);

// Nothing if it is not registered.
void unregister_session(int sessions, const std::string& user, const std::string& key);

// True if anything is registered, ended or not, or if that cannot be told.
[[nodiscard]] bool has_sessions(int sessions, const char* user);

// True if the process of one of the sessions lives, or if that cannot be told.
[[nodiscard]] bool has_living_session(int sessions, const char* user, const std::string& proc);

// Removes the sessions of `user` whose process is gone. True if others are left, or if that cannot be told.
[[nodiscard]] bool drop_ended_sessions(int sessions, const char* user, const std::string& proc);

}  // namespace slurm_adopt
