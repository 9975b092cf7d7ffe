// SPDX-License-Identifier: GPL-2.0-or-later
// When a token has been made or verified, the key is nowhere in the process: not in our pages, and not in what libjwt and
// libcrypto had of it on the heap and the stack. The test itself never has the key's bytes side by side.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "jwt/key_file.h"
#include "jwt/mint.h"
#include "jwt/verify.h"
#include "slurm_adopt/fd.h"
#include "token_support.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// They have terabytes of their own to search.
constexpr bool can_search = false;
#else
constexpr bool can_search = true;
#endif

namespace slurm_adopt::jwt {
namespace {

using token_test::Directory;

constexpr std::size_t key_size = 48;
// So many bytes of the key in a row count as the key: an eighth of it would do for nobody to guess the rest.
constexpr std::size_t telling = 16;

// One byte of the key, made anew each time.
unsigned char key_byte(std::size_t at)
{
    std::uint64_t mixed = (at + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 29U;
    mixed *= UINT64_C(0xbf58476d1ce4e5b9);
    return static_cast<unsigned char>(mixed >> 32U);
}

void write_key(const std::string& path)
{
    std::FILE* const file = std::fopen(path.c_str(), "wx");
    ASSERT_NE(file, nullptr);
    (void)std::setvbuf(file, nullptr, _IONBF, 0);
    for (std::size_t at = 0; at < key_size; ++at) ASSERT_NE(std::fputc(key_byte(at), file), EOF);
    ASSERT_EQ(std::fclose(file), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
}

bool is_key_at(const unsigned char* memory, std::size_t from)
{
    for (std::size_t i = 0; i < telling; ++i)
        if (memory[i] != key_byte(from + i)) return false;
    return true;
}

// How often a part of the key lies in memory that this process can write to.
std::size_t copies_of_key()
{
    std::size_t found = 0;
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        char permissions[5] = "";
        if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, permissions) != 3) continue;
        if (permissions[0] != 'r' || permissions[1] != 'w') continue;
        const auto* const memory = reinterpret_cast<const unsigned char*>(begin);  // NOLINT(performance-no-int-to-ptr)
        for (std::size_t at = 0; at + telling <= end - begin; ++at)
            for (const std::size_t from : {std::size_t{0}, telling, 2 * telling})
                if (memory[at] == key_byte(from) && is_key_at(memory + at, from)) ++found;
    }
    return found;
}

Order order_for_alice()
{
    Order order;
    order.user = "alice";
    order.now = 1700000000;
    return order;
}

class TokenMemory : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (!can_search) GTEST_SKIP() << "not under this sanitizer";
        write_key(file);
    }
    Directory directory;
    const std::string file = directory / "key";
};

TEST_F(TokenMemory, TheSearchFindsAKey)
{
    EXPECT_EQ(copies_of_key(), 0U);
    {
        const auto key = read_key_file(file, KeyFormat::raw, ::geteuid());
        ASSERT_TRUE(key.ok());
        EXPECT_EQ(copies_of_key(), 3U);
    }
    EXPECT_EQ(copies_of_key(), 0U);
    auto copy = std::make_unique<unsigned char[]>(key_size);
    for (std::size_t at = 0; at < key_size; ++at) copy[at] = key_byte(at);
    EXPECT_EQ(copies_of_key(), 3U);
    ::explicit_bzero(copy.get(), key_size);
}

TEST_F(TokenMemory, NothingIsLeftByMinting)
{
    {
        const auto key = read_key_file(file, KeyFormat::raw, ::geteuid());
        ASSERT_TRUE(key.ok());
        ASSERT_TRUE(mint(order_for_alice(), key.value()).ok());
    }
    EXPECT_EQ(copies_of_key(), 0U);
}

TEST_F(TokenMemory, NothingIsLeftByVerifying)
{
    {
        const auto key = read_key_file(file, KeyFormat::raw, ::geteuid());
        ASSERT_TRUE(key.ok());
        const auto token = mint(order_for_alice(), key.value());
        ASSERT_TRUE(token.ok());
        ASSERT_TRUE(std::holds_alternative<Claims>(verify(token.value(), key.value(), {"", 1700000000, 0})));
    }
    EXPECT_EQ(copies_of_key(), 0U);
}

TEST_F(TokenMemory, NothingIsLeftByAKeyAsBase64)
{
    // Written by a child, whose memory is not ours.
    const std::string text = directory / "text";
    ASSERT_EQ(std::system(("base64 < " + file + " > " + text + " && chmod 600 " + text).c_str()), 0);
    {
        const auto key = read_key_file(text, KeyFormat::base64, ::geteuid());
        ASSERT_TRUE(key.ok());
        EXPECT_EQ(copies_of_key(), 3U);
        ASSERT_TRUE(mint(order_for_alice(), key.value()).ok());
    }
    EXPECT_EQ(copies_of_key(), 0U);
}

TEST_F(TokenMemory, NothingIsLeftOfAKeyThatIsRefused)
{
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    EXPECT_FALSE(read_key_file(file, KeyFormat::raw, ::geteuid()).ok());
    EXPECT_EQ(copies_of_key(), 0U);
}

}  // namespace
}  // namespace slurm_adopt::jwt
