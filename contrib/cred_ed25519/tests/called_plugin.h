// SPDX-License-Identifier: GPL-2.0-or-later
// The plugin of this build, called as Slurm does it.
#pragma once

#include <string>

#include "fake_slurm.h"
#include "loaded_plugin.h"

namespace slurm_adopt::cred_test {

[[nodiscard]] const Plugin& plugin();

// A key for as long as the object lives.
class ReadKey {
public:
    explicit ReadKey(void* handle) : handle_(handle) {}
    ReadKey(const ReadKey&) = delete;
    ReadKey& operator=(const ReadKey&) = delete;
    ~ReadKey() { plugin().destroy_key(handle_); }
    [[nodiscard]] void* get() const { return handle_; }

private:
    void* handle_;
};

struct Signed {
    int rc;
    std::string signature;
};
[[nodiscard]] Signed sign(void* key, std::string credential);
// 0, or the number of the refusal.
[[nodiscard]] int verify(void* key, std::string credential, std::string signature);

}  // namespace slurm_adopt::cred_test
