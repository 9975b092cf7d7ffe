// SPDX-License-Identifier: GPL-2.0-or-later
#include "signature.h"

#include <algorithm>
#include <vector>

#include "openssl_errors.h"

namespace slurm_adopt::cred_ed25519 {
namespace {

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
};
using Digest = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

// Ed25519 takes its message in one piece, and OpenSSL 3.0 takes no context string beside it.
std::vector<unsigned char> message_of(std::span<const unsigned char> credential)
{
    std::vector<unsigned char> message(domain.size() + 1 + credential.size());
    const auto behind = std::ranges::copy(domain, message.begin()).out + 1;  // the NUL is there already
    std::ranges::copy(credential, behind);
    return message;
}

enum class Answer { yes, no, failed };

Answer ask(EVP_PKEY* key, std::span<const unsigned char> message, std::span<const unsigned char> signature)
{
    const Digest digest(::EVP_MD_CTX_new());
    if (digest == nullptr || ::EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key) != 1)
        return Answer::failed;
    const int rc = ::EVP_DigestVerify(digest.get(), signature.data(), signature.size(), message.data(), message.size());
    // Less than 0 where a point in the signature is none: that is the signature's fault too.
    return rc == 1 ? Answer::yes : Answer::no;
}

}  // namespace

std::variant<Signature, Refusal> sign(const Key& key, std::span<const unsigned char> credential)
{
    const OpensslErrors errors;
    if (key.kind != KeyKind::private_key) return Refusal::needs_private_key;
    const std::vector<unsigned char> message = message_of(credential);
    const Digest digest(::EVP_MD_CTX_new());
    if (digest == nullptr) return Refusal::out_of_memory;
    Signature signature{};
    std::size_t size = signature.size();
    if (::EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key.keys.front().get()) != 1 ||
        ::EVP_DigestSign(digest.get(), signature.data(), &size, message.data(), message.size()) != 1 ||
        size != signature.size())
        return Refusal::crypto_failure;
    return signature;
}

std::optional<Refusal> verify(const Key& key, std::span<const unsigned char> credential,
                              std::span<const unsigned char> signature)
{
    const OpensslErrors errors;
    if (key.kind != KeyKind::public_key) return Refusal::needs_public_key;
    if (signature.size() != signature_bytes) return Refusal::signature_size;
    const std::vector<unsigned char> message = message_of(credential);
    bool failed = false;
    for (const EvpKey& one : key.keys) {
        const Answer answer = ask(one.get(), message, signature);
        if (answer == Answer::yes) return std::nullopt;
        failed = failed || answer == Answer::failed;
    }
    return failed ? Refusal::crypto_failure : Refusal::signature_mismatch;
}

}  // namespace slurm_adopt::cred_ed25519
