// SPDX-License-Identifier: GPL-2.0-or-later
// A credential plugin, loaded as Slurm does it.
#pragma once

#include <cstdint>

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

// Throws where it cannot be loaded or lacks a symbol.
[[nodiscard]] Plugin load_plugin(const char* path);

}  // namespace slurm_adopt::cred_test
