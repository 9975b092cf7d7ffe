// SPDX-License-Identifier: GPL-2.0-or-later
// Where the private key is in the process: once, inside OpenSSL, while Slurm has it, and nowhere after that; and never as
// PEM or DER. The test itself never has the key's bytes side by side.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>

#include "called_plugin.h"
#include "key_files.h"

namespace slurm_adopt::cred_test {
namespace {

constexpr std::size_t seed_size = 32;
constexpr std::size_t prefix_size = 16;  // of PKCS#8 in front of the seed
// So many in a row count as the key.
constexpr std::size_t telling = 12;

// A byte of the seed, made anew each time.
unsigned char seed_byte(std::size_t at)
{
    std::uint64_t mixed = (at + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 29U;
    mixed *= UINT64_C(0xbf58476d1ce4e5b9);
    return static_cast<unsigned char>(mixed >> 32U);
}

unsigned char der_byte(std::size_t at)
{
    constexpr unsigned char prefix[prefix_size] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                   0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    return at < prefix_size ? prefix[at] : seed_byte(at - prefix_size);
}

// A character of the PEM body: 48 bytes are 64 characters without padding.
char base64_char(std::size_t at)
{
    const std::size_t triple = at / 4 * 3;
    const unsigned bits = unsigned{der_byte(triple)} << 16U | unsigned{der_byte(triple + 1)} << 8U | der_byte(triple + 2);
    constexpr const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return alphabet[bits >> (18U - 6U * (at % 4)) & 63U];
}

std::string write_key(const KeyFiles& files)
{
    const std::string path = files / "seed.pem";
    std::FILE* const file = std::fopen(path.c_str(), "wx");
    if (file == nullptr) return "";
    (void)std::setvbuf(file, nullptr, _IONBF, 0);
    (void)std::fputs("-----BEGIN PRIVATE KEY-----\n", file);
    for (std::size_t at = 0; at < 64; ++at) (void)std::fputc(base64_char(at), file);
    (void)std::fputs("\n-----END PRIVATE KEY-----\n", file);
    (void)std::fclose(file);
    (void)::chmod(path.c_str(), 0400);
    return path;
}

struct Found {
    std::size_t raw = 0;
    std::size_t base64 = 0;
};

template <class At>
bool is_at(const unsigned char* memory, std::size_t from, At at)
{
    for (std::size_t i = 0; i < telling; ++i)
        if (memory[i] != static_cast<unsigned char>(at(from + i))) return false;
    return true;
}

// How often a part of the key lies in memory that this process can write to.
Found search()
{
    Found found;
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        char permissions[5] = "";
        if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, permissions) != 3) continue;
        if (permissions[0] != 'r' || permissions[1] != 'w') continue;
        const auto* const memory = reinterpret_cast<const unsigned char*>(begin);  // NOLINT(performance-no-int-to-ptr)
        for (std::size_t at = 0; at + telling <= end - begin; ++at) {
            // The beginning, the middle and the end of it.
            for (const std::size_t from : {std::size_t{0}, std::size_t{10}, seed_size - telling})
                if (memory[at] == seed_byte(from) && is_at(memory + at, from, seed_byte)) ++found.raw;
            for (const std::size_t from : {std::size_t{22}, std::size_t{38}, 64 - telling})
                if (memory[at] == static_cast<unsigned char>(base64_char(from)) && is_at(memory + at, from, base64_char))
                    ++found.base64;
        }
    }
    return found;
}

TEST(Memory, TheKeyIsThereOnceAndThenNotAtAll)
{
    if (SANITIZED) GTEST_SKIP() << "the sanitizers have terabytes of their own to search";
    const KeyFiles files;
    const std::string path = write_key(files);
    const Found before = search();
    EXPECT_EQ(before.raw + before.base64, 0U) << "the test has it itself";
    void* const key = plugin().read_private_key(path.c_str());
    ASSERT_NE(key, nullptr) << take_log().front();
    const Found read = search();
    EXPECT_EQ(read.raw, 3U) << "three parts of one copy";
    EXPECT_EQ(read.base64, 0U);
    EXPECT_EQ(sign(key, "job 7").signature.size(), 64U);
    EXPECT_EQ(search().raw, 3U);
    plugin().destroy_key(key);
    const Found after = search();
    EXPECT_EQ(after.raw, 0U);
    EXPECT_EQ(after.base64, 0U);
    (void)take_log();
}

}  // namespace
}  // namespace slurm_adopt::cred_test
