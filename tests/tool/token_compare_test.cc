// SPDX-License-Identifier: GPL-2.0-or-later
// libjwt compares the signatures. Older ones did it by strcmp, which tells by its time how much of a guess was right
// (CVE-2024-25189). These functions stand in front of libc's, and see whether it does.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "jwt/verify.h"
#include "token_support.h"

namespace {

bool watching = false;
int signatures_seen = 0;

// A signature of HS256 has 43 characters; in this test nothing else has.
void look_at(const char* text, std::size_t length)
{
    if (watching && length == 43 && text[0] != '\0') ++signatures_seen;
}

std::size_t length_of(const char* text)
{
    std::size_t length = 0;
    while (text[length] != '\0') ++length;
    return length;
}

int compared(const char* left, const char* right, std::size_t most)
{
    for (std::size_t i = 0; i < most; ++i) {
        const int difference = static_cast<unsigned char>(left[i]) - static_cast<unsigned char>(right[i]);
        if (difference != 0 || left[i] == '\0') return difference;
    }
    return 0;
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int strcmp(const char* left, const char* right) noexcept
{
    look_at(left, length_of(left));
    return compared(left, right, SIZE_MAX);
}

__attribute__((visibility("default"))) int strncmp(const char* left, const char* right, std::size_t most) noexcept
{
    look_at(left, most);
    return compared(left, right, most);
}

__attribute__((visibility("default"))) int memcmp(const void* left, const void* right, std::size_t size) noexcept
{
    const auto* const a = static_cast<const unsigned char*>(left);
    const auto* const b = static_cast<const unsigned char*>(right);
    look_at(static_cast<const char*>(left), size);
    for (std::size_t i = 0; i < size; ++i)
        if (a[i] != b[i]) return a[i] - b[i];
    return 0;
}
}

namespace slurm_adopt::jwt {
namespace {

using namespace token_test;

TEST(TokenCompare, TheWatchSees)
{
    using Compare = int (*)(const char*, const char*);
    // What libjwt would call is found as the loader finds it for a library.
    const auto compare = reinterpret_cast<Compare>(::dlsym(RTLD_DEFAULT, "strcmp"));
    const std::string text(43, 'a');
    watching = true;
    EXPECT_EQ(compare(text.c_str(), text.c_str()), 0);
    watching = false;
    EXPECT_EQ(signatures_seen, 1);
}

TEST(TokenCompare, SignaturesAreNotComparedByWhatStopsEarly)
{
    const std::string good = signed_token(usual_header, R"({"exp":1700001000,"iat":1699999000,"sun":"alice"})");
    std::string bad = good;
    bad.back() = bad.back() == 'A' ? 'E' : 'A';
    const Secret key = secret_of(test_key);
    signatures_seen = 0;
    watching = true;
    const bool good_is_good = std::holds_alternative<Claims>(verify(good, key, {"", 1700000000, 0}));
    const bool bad_is_good = std::holds_alternative<Claims>(verify(bad, key, {"", 1700000000, 0}));
    watching = false;
    EXPECT_TRUE(good_is_good);
    EXPECT_FALSE(bad_is_good);
    EXPECT_EQ(signatures_seen, 0);
}

}  // namespace
}  // namespace slurm_adopt::jwt
