// SPDX-License-Identifier: GPL-2.0-or-later
// The built plugin, loaded and called as Slurm does it.
#pragma once

#include <cstdint>
#include <string>

#include "fake_slurm.h"

namespace slurm_adopt::cred_test {

struct Plugin {
    int (*init)();
    int (*fini)();
    void* (*read_private_key)(const char* path);
    void* (*read_public_key)(const char* path);
    void (*destroy_key)(void* key);
    int (*sign)(void* key, char* buffer, int size, char** signature, std::uint32_t* signature_size);
    int (*verify)(void* key, char* buffer, std::uint32_t size, char* signature, std::uint32_t signature_size);
    const char* (*str_error)(int number);
    const char* name;
    const char* type;
    std::uint32_t version;
};

// Throws where it cannot be loaded or lacks a symbol. The tests use the one of the build.
[[nodiscard]] Plugin load_plugin(const char* path);
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
