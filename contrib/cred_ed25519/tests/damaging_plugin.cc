// SPDX-License-Identifier: GPL-2.0-or-later
// A false cred/ed25519 for slurmctld: has the real one sign, and then does to the signature or to the credential what the
// file CRED_DAMAGE names says: flip, cut, long, empty, zero, credential, replay, late; anything else leaves both alone.
#include <slurm/slurm_version.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "loaded_plugin.h"

namespace {

using slurm_adopt::cred_test::Plugin;

const Plugin& real()
{
    static const Plugin loaded = slurm_adopt::cred_test::load_plugin(REAL_PLUGIN);
    return loaded;
}

std::string damage()
{
    const char* const path = std::getenv("CRED_DAMAGE");
    std::ifstream file(path == nullptr ? "" : path);
    std::string word;
    file >> word;
    return word;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT const char plugin_name[];
EXPORT const char plugin_type[];
EXPORT const std::uint32_t plugin_version;
const char plugin_name[] = "a plugin that damages";
const char plugin_type[] = "cred/ed25519";
const std::uint32_t plugin_version = SLURM_VERSION_NUMBER;

EXPORT int init()
{
    return 0;
}

EXPORT int fini()
{
    return 0;
}

EXPORT void* cred_p_read_private_key(const char* path)
{
    return real().read_private_key(path);
}

EXPORT void* cred_p_read_public_key(const char* path)
{
    return real().read_public_key(path);
}

EXPORT void cred_p_destroy_key(void* key)
{
    real().destroy_key(key);
}

EXPORT int cred_p_sign(void* key, char* buffer, int size, char** signature, std::uint32_t* signature_size)
{
    const int rc = real().sign(key, buffer, size, signature, signature_size);
    if (rc != 0) return rc;
    const std::string what = damage();
    if (what == "flip") (*signature)[40] = static_cast<char>((*signature)[40] ^ 1);
    if (what == "cut") *signature_size = 63;
    if (what == "empty") *signature_size = 0;
    if (what == "long") *signature_size = 66;  // what Slurm's allocator has behind it
    if (what == "zero") std::fill_n(*signature, *signature_size, '\0');
    // The packed credential, which goes out as it is now, with another user's name in it.
    if (what == "credential") {
        constexpr std::string_view alice = "alice";
        constexpr std::string_view carol = "carol";
        char* const found = std::search(buffer, buffer + size, alice.begin(), alice.end());
        if (found != buffer + size) std::ranges::copy(carol, found);
    }
    // The credential of an earlier step in the place of this one, with its own good signature.
    static std::string earlier;
    if (what == "replay" && earlier.size() == static_cast<std::size_t>(size) + *signature_size) {
        std::copy_n(earlier.data(), size, buffer);
        std::copy_n(earlier.data() + size, *signature_size, *signature);
    }
    // Longer than cred_expire of the test.
    if (what == "late") (void)::sleep(7);
    if (what == "none")
        earlier = std::string(buffer, static_cast<std::size_t>(size)) + std::string(*signature, *signature_size);
    return 0;
}

EXPORT int cred_p_verify_sign(void* key, char* buffer, std::uint32_t size, char* signature, std::uint32_t signature_size)
{
    return real().verify(key, buffer, size, signature, signature_size);
}

EXPORT const char* cred_p_str_error(int number)
{
    return real().str_error(number);
}
