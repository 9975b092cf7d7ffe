// SPDX-License-Identifier: GPL-2.0-or-later
#include "loaded_plugin.h"

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace slurm_adopt::cred_test {
namespace {

template <class Symbol>
Symbol symbol(void* library, const char* name)
{
    void* const found = ::dlsym(library, name);
    if (found == nullptr) throw std::runtime_error(std::string("no symbol ") + name);
    return reinterpret_cast<Symbol>(found);
}

}  // namespace

Plugin load_plugin(const char* path)
{
    void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    Plugin loaded{};
    loaded.init = symbol<decltype(loaded.init)>(library, "init");
    loaded.fini = symbol<decltype(loaded.fini)>(library, "fini");
    loaded.read_private_key = symbol<decltype(loaded.read_private_key)>(library, "cred_p_read_private_key");
    loaded.read_public_key = symbol<decltype(loaded.read_public_key)>(library, "cred_p_read_public_key");
    loaded.destroy_key = symbol<decltype(loaded.destroy_key)>(library, "cred_p_destroy_key");
    loaded.sign = symbol<decltype(loaded.sign)>(library, "cred_p_sign");
    loaded.verify = symbol<decltype(loaded.verify)>(library, "cred_p_verify_sign");
    loaded.str_error = symbol<decltype(loaded.str_error)>(library, "cred_p_str_error");
    loaded.name = symbol<const char*>(library, "plugin_name");
    loaded.type = symbol<const char*>(library, "plugin_type");
    loaded.version = *symbol<const std::uint32_t*>(library, "plugin_version");
    if (loaded.init() != 0) throw std::runtime_error("init() failed");
    return loaded;
}

}  // namespace slurm_adopt::cred_test
