// SPDX-License-Identifier: GPL-2.0-or-later
#include "called_plugin.h"

namespace slurm_adopt::cred_test {

const Plugin& plugin()
{
    static const Plugin loaded = load_plugin(CRED_PLUGIN);
    return loaded;
}

Signed sign(void* key, std::string credential)
{
    char* memory = nullptr;
    std::uint32_t size = 0;
    const int rc = plugin().sign(key, credential.data(), static_cast<int>(credential.size()), &memory, &size);
    std::string signature = memory == nullptr ? "" : std::string(memory, size);
    slurm_free(memory);
    return Signed{rc, signature};
}

int verify(void* key, std::string credential, std::string signature)
{
    return plugin().verify(key, credential.data(), static_cast<std::uint32_t>(credential.size()), signature.data(),
                           static_cast<std::uint32_t>(signature.size()));
}

}  // namespace slurm_adopt::cred_test
