// SPDX-License-Identifier: GPL-2.0-or-later
// The symbols that Slurm looks up: its credential plugin API as slurmctld and slurmd of 22.05 to 23.02 call it.
//
// Its guide says that a function returns SLURM_ERROR and sets errno; Slurm itself passes what was returned to
// cred_p_str_error(). So the number of the refusal is both returned and in errno, and it is never 0.
#include <openssl/crypto.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "key.h"
#include "key_table.h"
#include "signature.h"
#include "slurm_host.h"

#define CRED_ED25519_EXPORT extern "C" __attribute__((visibility("default")))

namespace slurm_adopt::cred_ed25519 {
namespace {

int refuse(Refusal why)
{
    errno = static_cast<int>(why);
    return static_cast<int>(why);
}

// The only way from C into the rest. The standard library throws where memory is out, and nothing else throws.
template <class Call>
int guarded(Call call) noexcept
{
    try {
        return call();
    } catch (...) {
        log_error("cred/ed25519: out of memory");
        return refuse(Refusal::out_of_memory);
    }
}

std::span<const unsigned char> bytes_of(const char* data, std::size_t size)
{
    return {reinterpret_cast<const unsigned char*>(data), size};
}

int read_key_into(void*& handle, const char* path, KeyKind kind)
{
    const std::string what = std::string("cred/ed25519: ") + (kind == KeyKind::private_key ? "private" : "public") +
                             " key " + (path == nullptr ? "(none)" : path) + ": ";
    OrRefused<Key> read = read_key(path, kind, slurm_user());
    if (const auto* refused = std::get_if<Refused>(&read)) {
        const char* const text = text_of(static_cast<int>(refused->why));
        log_error((what + text + (refused->detail.empty() ? "" : " (" + refused->detail + ")")).c_str());
        return refuse(refused->why);
    }
    Key& key = std::get<Key>(read);
    log_info((what + "id " + key.id).c_str());
    handle = key_table().add(std::move(key));
    return SLURM_SUCCESS;
}

void* read_key_or_null(const char* path, KeyKind kind)
{
    void* handle = nullptr;
    (void)guarded([&] { return read_key_into(handle, path, kind); });
    return handle;
}

int sign_into(const void* handle, std::span<const unsigned char> credential, char*& memory)
{
    const std::shared_ptr<const Key> key = key_table().find(handle);
    if (key == nullptr) return refuse(Refusal::unknown_key);
    const auto made = sign(*key, credential);
    if (const auto* why = std::get_if<Refusal>(&made)) return refuse(*why);
    memory = slurm_memory(signature_bytes);
    if (memory == nullptr) return refuse(Refusal::out_of_memory);
    std::ranges::copy(std::get<Signature>(made), reinterpret_cast<unsigned char*>(memory));
    return SLURM_SUCCESS;
}

int verify_with(const void* handle, std::span<const unsigned char> credential, std::span<const unsigned char> signature)
{
    const std::shared_ptr<const Key> key = key_table().find(handle);
    if (key == nullptr) return refuse(Refusal::unknown_key);
    const std::optional<Refusal> why = verify(*key, credential, signature);
    return why ? refuse(*why) : SLURM_SUCCESS;
}

}  // namespace
}  // namespace slurm_adopt::cred_ed25519

using namespace slurm_adopt::cred_ed25519;  // NOLINT(google-build-using-namespace): not a header

CRED_ED25519_EXPORT const char plugin_name[];
CRED_ED25519_EXPORT const char plugin_type[];
CRED_ED25519_EXPORT const std::uint32_t plugin_version;
const char plugin_name[] = "Ed25519 credential signature plugin";
const char plugin_type[] = "cred/ed25519";
const std::uint32_t plugin_version = SLURM_VERSION_NUMBER;

CRED_ED25519_EXPORT int init()
{
    // OpenSSL is to take nothing away at exit(), as threads of the daemon may verify until its very end (Slurm's fatal()
    // waits for none). Without effect where another library has begun with OpenSSL before.
    (void)::OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
    return SLURM_SUCCESS;
}

CRED_ED25519_EXPORT int fini()
{
    key_table().clear();
    return SLURM_SUCCESS;
}

CRED_ED25519_EXPORT void* cred_p_read_private_key(const char* path)
{
    return read_key_or_null(path, KeyKind::private_key);
}

CRED_ED25519_EXPORT void* cred_p_read_public_key(const char* path)
{
    return read_key_or_null(path, KeyKind::public_key);
}

CRED_ED25519_EXPORT void cred_p_destroy_key(void* key)
{
    key_table().remove(key);
}

CRED_ED25519_EXPORT int cred_p_sign(void* key, char* buffer, int buffer_size, char** signature,
                                    std::uint32_t* signature_size)
{
    if (signature == nullptr || signature_size == nullptr) return refuse(Refusal::bad_argument);
    *signature = nullptr;
    *signature_size = 0;
    if (buffer == nullptr || buffer_size <= 0) return refuse(Refusal::bad_argument);
    const auto credential = bytes_of(buffer, static_cast<std::size_t>(buffer_size));
    const int rc = guarded([&] { return sign_into(key, credential, *signature); });
    if (rc == SLURM_SUCCESS) *signature_size = signature_bytes;
    return rc;
}

CRED_ED25519_EXPORT int cred_p_verify_sign(void* key, char* buffer, std::uint32_t buffer_size, char* signature,
                                           std::uint32_t signature_size)
{
    if (buffer == nullptr || buffer_size == 0 || signature == nullptr) return refuse(Refusal::bad_argument);
    return guarded([&] { return verify_with(key, bytes_of(buffer, buffer_size), bytes_of(signature, signature_size)); });
}

// SLURM_ERROR, which the guide has a function return, stands for what is in errno.
CRED_ED25519_EXPORT const char* cred_p_str_error(int number)
{
    return text_of(number == SLURM_ERROR ? errno : number);
}
