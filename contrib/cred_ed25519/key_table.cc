// SPDX-License-Identifier: GPL-2.0-or-later
#include "key_table.h"

#include <utility>

namespace slurm_adopt::cred_ed25519 {
namespace {

std::uintptr_t number_of(const void* handle)
{
    return reinterpret_cast<std::uintptr_t>(handle);
}

}  // namespace

void* KeyTable::add(Key key)
{
    auto shared = std::make_shared<const Key>(std::move(key));
    const std::scoped_lock lock(mutex_);
    keys_.emplace(last_ + 1, std::move(shared));
    ++last_;
    return reinterpret_cast<void*>(last_);  // NOLINT(performance-no-int-to-ptr): nobody follows it
}

std::shared_ptr<const Key> KeyTable::find(const void* handle) const
{
    const std::scoped_lock lock(mutex_);
    const auto found = keys_.find(number_of(handle));
    return found == keys_.end() ? nullptr : found->second;
}

void KeyTable::remove(const void* handle)
{
    const std::scoped_lock lock(mutex_);
    keys_.erase(number_of(handle));
}

void KeyTable::clear()
{
    const std::scoped_lock lock(mutex_);
    keys_.clear();
}

KeyTable& key_table()
{
    static auto* const table = new KeyTable;  // NOLINT(cppcoreguidelines-owning-memory)
    return *table;
}

}  // namespace slurm_adopt::cred_ed25519
