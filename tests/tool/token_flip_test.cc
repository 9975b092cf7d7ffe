// SPDX-License-Identifier: GPL-2.0-or-later
// A good token, changed in each way that one byte can be changed, cut, or written otherwise: never good again.
#include <gtest/gtest.h>

#include "jwt/verify.h"
#include "token_support.h"

namespace slurm_adopt::jwt {
namespace {

using namespace token_test;

class TokenFlip : public ::testing::Test {
protected:
    [[nodiscard]] bool is_good(const std::string& token) const
    {
        return std::holds_alternative<Claims>(verify(token, key, {"", 1700000000, 0}));
    }
    const std::string good = signed_token(usual_header, R"({"exp":1700001000,"iat":1699999000,"sun":"alice"})");
    const Secret key = secret_of(test_key);
};

TEST_F(TokenFlip, TheTokenItselfIsGood)
{
    EXPECT_TRUE(is_good(good));
}

TEST_F(TokenFlip, EveryByteAsEveryOtherByte)
{
    std::string changed = good;
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            if (static_cast<char>(value) == good[at]) continue;
            changed[at] = static_cast<char>(value);
            ASSERT_FALSE(is_good(changed)) << "byte " << at << " as " << value;
        }
        changed[at] = good[at];
    }
}

TEST_F(TokenFlip, EveryByteLeftOutOrTwice)
{
    for (std::size_t at = 0; at < good.size(); ++at) {
        ASSERT_FALSE(is_good(good.substr(0, at))) << at;
        ASSERT_FALSE(is_good(good.substr(at + 1))) << at;
        ASSERT_FALSE(is_good(std::string(good).erase(at, 1))) << at;
        ASSERT_FALSE(is_good(std::string(good).insert(at, 1, good[at]))) << at;
    }
}

// What a reader of Base64 that is not strict would take for the same bytes.
TEST_F(TokenFlip, EveryPartWrittenOtherwise)
{
    for (std::size_t at = 0; at <= good.size(); ++at)
        for (const char* const more : {"=", "==", "\n", "\r\n", " ", "\t", "%3D", "."})
            ASSERT_FALSE(is_good(std::string(good).insert(at, more))) << at << " " << more;
    std::string mail = good;
    for (char& c : mail) c = c == '-' ? '+' : c == '_' ? '/' : c;
    EXPECT_TRUE(mail == good || !is_good(mail));
}

// 43 characters hold 258 bits, two more than the signature has: they must be zero.
TEST_F(TokenFlip, BitsLeftOverInTheSignature)
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::size_t last = alphabet.find(good.back());
    ASSERT_EQ(last % 4, 0U);
    for (std::size_t extra = 1; extra < 4; ++extra) {
        std::string changed = good;
        changed.back() = alphabet[last + extra];
        EXPECT_FALSE(is_good(changed)) << extra;
    }
}

TEST_F(TokenFlip, EveryByteOfTheKey)
{
    for (std::size_t at = 0; at < test_key.size(); ++at) {
        std::string other(test_key);
        other[at] = static_cast<char>(other[at] ^ 1);
        EXPECT_TRUE(std::holds_alternative<Refused>(verify(good, secret_of(other), {"", 1700000000, 0}))) << at;
    }
    // A key that is longer by a zero byte is another file, but HMAC pads keys with zeros: the same key (RFC 2104).
    EXPECT_TRUE(std::holds_alternative<Refused>(verify(good, secret_of(std::string(test_key) + "x"), {"", 1700000000, 0})));
}

}  // namespace
}  // namespace slurm_adopt::jwt
