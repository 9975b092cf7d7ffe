// SPDX-License-Identifier: GPL-2.0-or-later
// The keys that Slurm holds, by the numbers it has for them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "key.h"

namespace slurm_adopt::cred_ed25519 {

// What Slurm gets for a key is no address but a number that comes only once. slurmd verifies without a lock while a
// reconfiguration destroys the key before last, and two of its threads may destroy the same expired key: here the one goes
// on with the key it has found, and the other finds nothing.
class KeyTable {
public:
    [[nodiscard]] void* add(Key key);
    // Null where there is none.
    [[nodiscard]] std::shared_ptr<const Key> find(const void* handle) const;
    void remove(const void* handle);
    void clear();

private:
    mutable std::mutex mutex_;
    std::uintptr_t last_ = 0;
    std::map<std::uintptr_t, std::shared_ptr<const Key>> keys_;
};

// The one of this process. Never destroyed: a daemon's threads may still verify while it exits.
[[nodiscard]] KeyTable& key_table();

}  // namespace slurm_adopt::cred_ed25519
