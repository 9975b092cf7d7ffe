// SPDX-License-Identifier: GPL-2.0-or-later
// The file with the key that signs tokens: the one of jwt_key= in AuthAltParameters (slurm.conf(5)).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "jwt/secret.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::jwt {

// slurmctld takes a key file's bytes as they are, whatever they say; so `raw` is what fits it. `base64` is for a key that is
// kept as text elsewhere.
enum class KeyFormat { raw, base64 };

// RFC 7518, section 3.2: for HS256 a key has to have 256 bits or more.
inline constexpr std::size_t shortest_key = 32;
// Far above what anybody has: Slurm's manual once told people to use an RSA key of 2048 bits in PEM (1.7 KB).
inline constexpr std::size_t longest_key = 8192;
// The largest file: a longest key as Base64, with its line ends.
inline constexpr std::size_t longest_key_file = 2 * longest_key;

// Reads a key that nobody but `owner` (or root) could read or change: a regular file of root's or the owner's, no symbolic
// link, without any permission for group and others. Never waits (FIFO, device). The context of an Error names the file and
// what to do, never what is in it.
// ErrorCode::untrusted: who owns it, who may read it, what kind of file it is. ErrorCode::malformed: empty, too short, not
// Base64. ErrorCode::too_large.
[[nodiscard]] Result<Secret> read_key_file(const std::string& path, KeyFormat format, uid_t owner);

}  // namespace slurm_adopt::jwt
