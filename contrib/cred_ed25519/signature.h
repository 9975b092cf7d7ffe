// SPDX-License-Identifier: GPL-2.0-or-later
// Ed25519 (RFC 8032) over a packed credential.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "key.h"
#include "refusal.h"

namespace slurm_adopt::cred_ed25519 {

inline constexpr std::size_t signature_bytes = 64;
using Signature = std::array<unsigned char, signature_bytes>;

// Stands in front of what is signed: a signature that the same key has made for anything else is none for a credential. The
// time is in the credential itself, and slurmd checks it (AuthInfo=cred_expire).
inline constexpr std::string_view domain = "Slurm cred/ed25519 1";  // and its NUL

[[nodiscard]] std::variant<Signature, Refusal> sign(const Key& key, std::span<const unsigned char> credential);

// Nothing where one of the keys has signed it.
[[nodiscard]] std::optional<Refusal> verify(const Key& key, std::span<const unsigned char> credential,
                                            std::span<const unsigned char> signature);

}  // namespace slurm_adopt::cred_ed25519
