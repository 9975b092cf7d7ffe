// SPDX-License-Identifier: GPL-2.0-or-later
// Signing and verifying: what is taken, and the number and text for each refusal.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include "../refusal.h"
#include "called_plugin.h"
#include "key_files.h"
#include "support/forked.h"

namespace slurm_adopt::cred_test {
namespace {

using cred_ed25519::Refusal;

constexpr int number(Refusal why)
{
    return static_cast<int>(why);
}

class Signature : public ::testing::Test {
protected:
    Signature()
        : pair(make_pair("ED25519")),
          private_key(plugin().read_private_key(files.write(pair.private_pem, 0400).c_str())),
          public_key(plugin().read_public_key(files.write(pair.public_pem, 0644, "public.pem").c_str()))
    {
        (void)take_log();
    }
    ~Signature() override { EXPECT_EQ(slurm_allocations(), 0U); }
    Signature(const Signature&) = delete;
    Signature& operator=(const Signature&) = delete;

    KeyFiles files;
    Pair pair;
    ReadKey private_key;
    ReadKey public_key;
    std::string credential = "job 7 of alice on n[1-2]";
};

TEST_F(Signature, Verifies)
{
    const Signed made = sign(private_key.get(), credential);
    EXPECT_EQ(made.rc, 0);
    EXPECT_EQ(made.signature.size(), 64U);
    EXPECT_EQ(verify(public_key.get(), credential, made.signature), 0);
    const std::string large(std::size_t{4} * 1024 * 1024, 'x');
    EXPECT_EQ(verify(public_key.get(), large, sign(private_key.get(), large).signature), 0);
}

// By OpenSSL itself: Ed25519 over the domain, a NUL and the credential. The credential alone, signed with the same key for
// something else, is none.
TEST_F(Signature, IsEd25519OverTheDomainAndTheCredential)
{
    struct Free {
        void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
        void operator()(BIO* bio) const { ::BIO_free_all(bio); }
        void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
    };
    const std::unique_ptr<BIO, Free> bio(
        ::BIO_new_mem_buf(pair.private_pem.data(), static_cast<int>(pair.private_pem.size())));
    const std::unique_ptr<EVP_PKEY, Free> key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    const auto openssl_signs = [&](const std::string& message) {
        const std::unique_ptr<EVP_MD_CTX, Free> context(::EVP_MD_CTX_new());
        std::string signature(64, '\0');
        std::size_t size = signature.size();
        EXPECT_EQ(::EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()), 1);
        EXPECT_EQ(::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                   reinterpret_cast<const unsigned char*>(message.data()), message.size()),
                  1);
        return signature;
    };
    EXPECT_EQ(openssl_signs(std::string("Slurm cred/ed25519 1") + '\0' + credential),
              sign(private_key.get(), credential).signature);
    EXPECT_EQ(verify(public_key.get(), credential, openssl_signs(credential)), number(Refusal::signature_mismatch));
}

TEST_F(Signature, EveryBitOfItCounts)
{
    const std::string good = sign(private_key.get(), credential).signature;
    for (std::size_t bit = 0; bit < good.size() * CHAR_BIT; ++bit) {
        std::string bad = good;
        bad[bit / CHAR_BIT] = static_cast<char>(static_cast<unsigned char>(bad[bit / CHAR_BIT]) ^ (1U << bit % CHAR_BIT));
        EXPECT_EQ(verify(public_key.get(), credential, bad), number(Refusal::signature_mismatch)) << "bit " << bit;
    }
}

TEST_F(Signature, EveryBitOfTheCredentialCounts)
{
    const std::string good = sign(private_key.get(), credential).signature;
    for (std::size_t bit = 0; bit < credential.size() * CHAR_BIT; ++bit) {
        std::string bad = credential;
        bad[bit / CHAR_BIT] = static_cast<char>(static_cast<unsigned char>(bad[bit / CHAR_BIT]) ^ (1U << bit % CHAR_BIT));
        EXPECT_EQ(verify(public_key.get(), bad, good), number(Refusal::signature_mismatch)) << "bit " << bit;
    }
    EXPECT_EQ(verify(public_key.get(), credential + '\0', good), number(Refusal::signature_mismatch));
    EXPECT_EQ(verify(public_key.get(), credential.substr(1), good), number(Refusal::signature_mismatch));
}

TEST_F(Signature, OnlyOfExactly64Bytes)
{
    const std::string good = sign(private_key.get(), credential).signature;
    for (std::size_t size = 0; size < 200; ++size) {
        if (size == 64) continue;
        const std::string other = size < 64 ? good.substr(0, size) : good + std::string(size - 64, '\0');
        EXPECT_EQ(verify(public_key.get(), credential, other), number(Refusal::signature_size)) << size;
    }
}

TEST_F(Signature, ForgedOnesAreRefused)
{
    const ReadKey other(plugin().read_private_key(files.write(make_pair("ED25519").private_pem, 0400, "other.pem").c_str()));
    EXPECT_EQ(verify(public_key.get(), credential, sign(other.get(), credential).signature),
              number(Refusal::signature_mismatch));
    for (const char byte : {'\0', '\1', '\xff'})
        EXPECT_EQ(verify(public_key.get(), credential, std::string(64, byte)), number(Refusal::signature_mismatch));
    // S raised by the order of the group (RFC 8032, 5.1.7): the same equation, and still no signature.
    const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                     0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                     0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    std::string second = sign(private_key.get(), credential).signature;
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += static_cast<unsigned char>(second[32 + i]) + unsigned{order[i]};
        second[32 + i] = static_cast<char>(carry & 0xffU);
        carry >>= 8U;
    }
    EXPECT_EQ(verify(public_key.get(), credential, second), number(Refusal::signature_mismatch));
}

TEST_F(Signature, OfEitherOfTwoPublicKeys)
{
    const Pair next = make_pair("ED25519");
    const ReadKey next_private(plugin().read_private_key(files.write(next.private_pem, 0400, "next.pem").c_str()));
    const ReadKey both(plugin().read_public_key(files.write(pair.public_pem + next.public_pem, 0644, "both.pem").c_str()));
    EXPECT_EQ(verify(both.get(), credential, sign(private_key.get(), credential).signature), 0);
    EXPECT_EQ(verify(both.get(), credential, sign(next_private.get(), credential).signature), 0);
    EXPECT_EQ(verify(both.get(), credential, std::string(64, 'x')), number(Refusal::signature_mismatch));
}

TEST_F(Signature, TheKindOfKeyCounts)
{
    const Signed by_public = sign(public_key.get(), credential);
    EXPECT_EQ(by_public.rc, number(Refusal::needs_private_key));
    EXPECT_EQ(by_public.signature, "");
    const std::string good = sign(private_key.get(), credential).signature;
    EXPECT_EQ(verify(private_key.get(), credential, good), number(Refusal::needs_public_key));
}

TEST_F(Signature, MissingArgumentsAreRefused)
{
    char buffer[] = "x";
    char* signature = buffer;
    std::uint32_t size = 7;
    const int bad = number(Refusal::bad_argument);
    EXPECT_EQ(plugin().sign(private_key.get(), buffer, 1, nullptr, &size), bad);
    EXPECT_EQ(plugin().sign(private_key.get(), buffer, 1, &signature, nullptr), bad);
    for (const int length : {0, -1, INT_MIN}) {
        signature = buffer;
        size = 7;
        EXPECT_EQ(plugin().sign(private_key.get(), buffer, length, &signature, &size), bad);
        EXPECT_EQ(signature, nullptr) << "Slurm frees what is there";
        EXPECT_EQ(size, 0U);
    }
    EXPECT_EQ(plugin().sign(private_key.get(), nullptr, 1, &signature, &size), bad);
    EXPECT_EQ(plugin().sign(nullptr, buffer, 1, &signature, &size), number(Refusal::unknown_key));
    EXPECT_EQ(plugin().verify(public_key.get(), nullptr, 1, buffer, 1), bad);
    EXPECT_EQ(plugin().verify(public_key.get(), buffer, 0, buffer, 1), bad);
    EXPECT_EQ(plugin().verify(public_key.get(), buffer, 1, nullptr, 64), bad);
    EXPECT_EQ(plugin().verify(nullptr, buffer, 1, buffer, 1), number(Refusal::unknown_key));
    plugin().destroy_key(nullptr);
}

TEST_F(Signature, ADestroyedKeyIsUnknownAndMayBeDestroyedAgain)
{
    void* const key = plugin().read_public_key((files / "public.pem").c_str());
    const std::string good = sign(private_key.get(), credential).signature;
    EXPECT_EQ(verify(key, credential, good), 0);
    plugin().destroy_key(key);
    plugin().destroy_key(key);
    EXPECT_EQ(verify(key, credential, good), number(Refusal::unknown_key));
    EXPECT_NE(plugin().read_public_key((files / "public.pem").c_str()), key) << "no number comes twice";
    int on_stack = 0;
    plugin().destroy_key(&on_stack);
    EXPECT_EQ(verify(&on_stack, credential, good), number(Refusal::unknown_key));
}

TEST_F(Signature, WithoutMemoryThereIsNone)
{
    fail_memory(true);
    const Signed made = sign(private_key.get(), credential);
    fail_memory(false);
    EXPECT_EQ(made.rc, number(Refusal::out_of_memory));
    EXPECT_EQ(made.signature, "");
}

// The standard library throws then, and nothing of that may reach C.
TEST_F(Signature, WithoutMemoryForACopyOfTheCredentialThereIsNone)
{
    if (SANITIZED) GTEST_SKIP() << "the sanitizers need the address space";
    test::Forked child([&] {
        constexpr std::size_t size = std::size_t{512} << 20U;
        void* const pages =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        const rlimit limit{size + size / 2, size + size / 2};
        if (pages == MAP_FAILED || ::setrlimit(RLIMIT_AS, &limit) != 0) return false;
        auto* const large = static_cast<char*>(pages);
        char* signature = large;
        std::uint32_t signature_size = 1;
        const int out_of_memory = number(Refusal::out_of_memory);
        return plugin().sign(private_key.get(), large, static_cast<int>(size), &signature, &signature_size) ==
                   out_of_memory &&
               signature == nullptr && signature_size == 0 &&
               plugin().verify(public_key.get(), large, static_cast<std::uint32_t>(size), large, 64) ==
                   out_of_memory &&
               take_log() == std::vector<std::string>(2, "error: cred/ed25519: out of memory");
    });
    EXPECT_TRUE(child.succeeds());
}

TEST_F(Signature, AChildHasTheKeysOfItsParent)
{
    const std::string good = sign(private_key.get(), credential).signature;
    test::Forked child([&] {
        return sign(private_key.get(), credential).signature == good && verify(public_key.get(), credential, good) == 0;
    });
    EXPECT_TRUE(child.succeeds());
}

TEST_F(Signature, TheErrorsOfOthersInOpensslsQueueStay)
{
    ::ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    const unsigned long others = ::ERR_peek_last_error();
    (void)verify(public_key.get(), credential, std::string(64, '\xff'));
    (void)plugin().read_private_key(
        files.write("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0400).c_str());
    EXPECT_EQ(::ERR_peek_last_error(), others);
    ::ERR_clear_error();
}

}  // namespace
}  // namespace slurm_adopt::cred_test
