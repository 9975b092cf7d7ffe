// SPDX-License-Identifier: GPL-2.0-or-later
// The bytes of a key file that nobody but root and SlurmUser could have read (private) or written (public).
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "jwt/secret.h"
#include "refusal.h"

namespace slurm_adopt::cred_ed25519 {

using jwt::Secret;

enum class KeyKind { private_key, public_key };

// Two public keys in PEM have 226 bytes; the rest is room for the RSA key of somebody who is to be told what is wrong.
inline constexpr std::size_t largest_key_file = std::size_t{16} * 1024;

// Everything is looked at through one open descriptor. Never waits (FIFO, device), follows no symbolic link. `path` may be
// null. The bytes are wiped when the Secret goes.
[[nodiscard]] OrRefused<Secret> read_key_file(const char* path, KeyKind kind, uid_t slurm_user);

}  // namespace slurm_adopt::cred_ed25519
