// SPDX-License-Identifier: GPL-2.0-or-later
// A key that has been read: one private Ed25519 key, or one or two public ones.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <vector>

#include "key_file.h"
#include "refusal.h"

namespace slurm_adopt::cred_ed25519 {

struct FreeEvpKey {
    void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }  // OpenSSL wipes a private one
};
using EvpKey = std::unique_ptr<EVP_PKEY, FreeEvpKey>;

struct Key {
    KeyKind kind;
    std::vector<EvpKey> keys;
    std::string id;  // for the log, the ids of several with a blank between
};

// Two public keys, so that a pair can be replaced while jobs start: README.md, "Replace the keys".
inline constexpr std::size_t most_public_keys = 2;

[[nodiscard]] OrRefused<Key> read_key(const char* path, KeyKind kind, uid_t slurm_user);

}  // namespace slurm_adopt::cred_ed25519
