// SPDX-License-Identifier: GPL-2.0-or-later
#include "key.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <span>
#include <utility>

#include "openssl_errors.h"
#include "pem.h"

namespace slurm_adopt::cred_ed25519 {
namespace {

constexpr std::size_t raw_size = 32;  // RFC 8032: a private key (its seed) and a public one

struct FreeInfo {
    void operator()(PKCS8_PRIV_KEY_INFO* info) const { ::PKCS8_PRIV_KEY_INFO_free(info); }  // wipes the key in it
    void operator()(X509_PUBKEY* info) const { ::X509_PUBKEY_free(info); }
};

Refused damaged(const char* detail)
{
    return Refused{Refusal::malformed, detail};
}

// RFC 8410: the algorithm is id-Ed25519, without parameters.
std::variant<std::monostate, Refused> check_algorithm(const X509_ALGOR* algorithm)
{
    const ASN1_OBJECT* object = nullptr;
    int parameters = V_ASN1_UNDEF;
    ::X509_ALGOR_get0(&object, &parameters, nullptr, algorithm);
    const int number = ::OBJ_obj2nid(object);
    if (number != NID_ED25519) return Refused{Refusal::no_ed25519, ::OBJ_nid2sn(number)};
    if (parameters != V_ASN1_UNDEF) return damaged("parameters where Ed25519 has none");
    return std::monostate{};
}

OrRefused<EvpKey> checked(EVP_PKEY* key)
{
    if (key == nullptr) return Refused{Refusal::crypto_failure, ""};
    return EvpKey(key);
}

OrRefused<EvpKey> parse_private(std::span<const unsigned char> der)
{
    const unsigned char* at = der.data();
    const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeInfo> info(
        ::d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
    if (info == nullptr) return damaged("no PKCS#8");
    if (at != der.data() + der.size()) return damaged("bytes behind the key");
    const unsigned char* inner = nullptr;
    int size = 0;
    const X509_ALGOR* algorithm = nullptr;
    if (::PKCS8_pkey_get0(nullptr, &inner, &size, &algorithm, info.get()) != 1) return damaged("no PKCS#8");
    auto right = check_algorithm(algorithm);
    if (auto* refused = std::get_if<Refused>(&right)) return std::move(*refused);
    // CurvePrivateKey of RFC 8410: an OCTET STRING of 32 bytes in the OCTET STRING.
    if (size != static_cast<int>(raw_size) + 2 || inner[0] != V_ASN1_OCTET_STRING || inner[1] != raw_size)
        return damaged("a private key of the wrong size");
    return checked(::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, inner + 2, raw_size));
}

// The points whose order is 8 or less: to such a key a signature that nobody has made fits one credential in eight or more.
// By their y coordinate, which is also taken where it is not less than p = 2^255 - 19; the sign of x does not matter.
bool has_small_order(std::span<const unsigned char, raw_size> raw)
{
    constexpr std::array<std::array<unsigned char, raw_size>, 2> of_order_8{
        {{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
          0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
         {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
          0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}}};
    std::array<unsigned char, raw_size> y{};
    std::ranges::copy(raw, y.begin());
    y.back() &= 0x7fU;
    const auto between = std::span(y).subspan(1, raw_size - 2);
    const auto filled_with = [&](unsigned char value) { return std::ranges::count(between, value) == std::ssize(between); };
    if (y.back() == 0 && filled_with(0)) return y.front() <= 1;                                // 0, 1
    if (y.back() == 0x7f && filled_with(0xff)) return y.front() >= 0xec && y.front() <= 0xee;  // p - 1, p, p + 1
    return std::ranges::find(of_order_8, y) != of_order_8.end();
}

OrRefused<EvpKey> parse_public(std::span<const unsigned char> der)
{
    const unsigned char* at = der.data();
    const std::unique_ptr<X509_PUBKEY, FreeInfo> info(::d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (info == nullptr) return damaged("no SubjectPublicKeyInfo");
    if (at != der.data() + der.size()) return damaged("bytes behind the key");
    const unsigned char* raw = nullptr;
    int size = 0;
    X509_ALGOR* algorithm = nullptr;
    if (::X509_PUBKEY_get0_param(nullptr, &raw, &size, &algorithm, info.get()) != 1)
        return damaged("no SubjectPublicKeyInfo");
    auto right = check_algorithm(algorithm);
    if (auto* refused = std::get_if<Refused>(&right)) return std::move(*refused);
    if (size != static_cast<int>(raw_size)) return damaged("a public key of the wrong size");
    if (has_small_order(std::span<const unsigned char, raw_size>(raw, raw_size))) return damaged("a point of small order");
    return checked(::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw, raw_size));
}

// The label says what is in a block before anything of it is believed.
OrRefused<EvpKey> parse(const PemBlock& block, KeyKind kind)
{
    const bool wants_private = kind == KeyKind::private_key;
    if (block.label == "ENCRYPTED PRIVATE KEY") return Refused{Refusal::passphrase, ""};
    if (block.label == "PUBLIC KEY" && wants_private) return Refused{Refusal::public_instead, ""};
    if (block.label.ends_with("PRIVATE KEY") && !wants_private) return Refused{Refusal::private_instead, ""};
    if (block.label != (wants_private ? "PRIVATE KEY" : "PUBLIC KEY"))
        return Refused{Refusal::other_format, std::string(block.label.substr(0, 40))};
    return wants_private ? parse_private(block.der.bytes()) : parse_public(block.der.bytes());
}

// The beginning of the SHA-256 of the public key's DER: what an administrator can compare on two hosts.
std::string id_of(EVP_PKEY* key)
{
    unsigned char* der = nullptr;
    const int size = ::i2d_PUBKEY(key, &der);
    if (size <= 0) return "?";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(der, static_cast<std::size_t>(size), digest.data());
    ::OPENSSL_free(der);
    std::array<char, 17> text{};
    for (std::size_t i = 0; i < 8; ++i) (void)std::snprintf(text.data() + 2 * i, 3, "%02x", unsigned{digest[i]});
    return text.data();
}

}  // namespace

OrRefused<Key> read_key(const char* path, KeyKind kind, uid_t slurm_user)
{
    const OpensslErrors errors;
    OrRefused<Secret> content = read_key_file(path, kind, slurm_user);
    if (auto* refused = std::get_if<Refused>(&content)) return std::move(*refused);
    const auto bytes = std::get<Secret>(content).bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    auto blocks = read_pem(text, kind == KeyKind::private_key ? 1 : most_public_keys);
    if (auto* refused = std::get_if<Refused>(&blocks)) return std::move(*refused);
    Key key{kind, {}, ""};
    for (const PemBlock& block : std::get<std::vector<PemBlock>>(blocks)) {
        OrRefused<EvpKey> parsed = parse(block, kind);
        if (auto* refused = std::get_if<Refused>(&parsed)) return std::move(*refused);
        key.keys.push_back(std::move(std::get<EvpKey>(parsed)));
        key.id += (key.id.empty() ? "" : " ") + id_of(key.keys.back().get());
    }
    return key;
}

}  // namespace slurm_adopt::cred_ed25519
