// SPDX-License-Identifier: GPL-2.0-or-later
// The examples of RFC 4231, 4648, 7515 and 7519: what other programs sign is read, and what they call invalid is refused.
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "jwt/base64.h"
#include "jwt/mint.h"
#include "jwt/parse.h"
#include "jwt/verify.h"
#include "token_support.h"

namespace slurm_adopt::jwt {
namespace {

using namespace token_test;
using nlohmann::json;

// RFC 7515, A.1: HS256, with line ends inside of the JSON texts.
constexpr std::string_view a1_header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
constexpr std::string_view a1_payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr std::string_view a1_signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr std::string_view a1_key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

std::string joined(std::string_view header, std::string_view payload, std::string_view signature)
{
    return std::string(header) + "." + std::string(payload) + "." + std::string(signature);
}

std::string hex(std::string_view bytes)
{
    std::string text;
    for (const char c : bytes)
        for (const unsigned digit : {static_cast<unsigned char>(c) / 16U, static_cast<unsigned char>(c) % 16U})
            text += "0123456789abcdef"[digit];
    return text;
}

std::string_view reason(const Checked<Claims>& claims)
{
    const auto* refused = std::get_if<Refused>(&claims);
    return refused == nullptr ? "good" : name_of(refused->why);
}

TEST(TokenVectors, TheTestsOwnHmacIsRight)
{
    // RFC 4231, test cases 2 and 6.
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(TokenVectors, Rfc7515AppendixA1IsSignedRight)
{
    const Secret key = secret_of(*decode_base64url(a1_key));
    EXPECT_TRUE(is_signed_with(joined(a1_header, a1_payload, a1_signature), key));
    EXPECT_FALSE(is_signed_with(joined(a1_header, a1_payload, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXj"), key));
    EXPECT_FALSE(is_signed_with(joined(a1_header, a1_payload, a1_signature), secret_of(test_key)));
    // Nobody whom Slurm would know.
    EXPECT_EQ(reason(verify(joined(a1_header, a1_payload, a1_signature), key, {})), "claim_missing");
}

TEST(TokenVectors, Rfc7519IssAsTheUserWhereUserclaimfieldSaysSo)
{
    const Secret key = secret_of(*decode_base64url(a1_key));
    // No iat: Slurm's manual wants one.
    const auto claims = verify(joined(a1_header, a1_payload, a1_signature), key, {"iss", 1300819379, 0});
    ASSERT_TRUE(std::holds_alternative<Refused>(claims));
    EXPECT_EQ(std::get<Refused>(claims).text, "there is no claim iat");
}

TEST(TokenVectors, Rfc7519UnsecuredTokenIsRefused)
{
    const Secret key = secret_of(test_key);
    EXPECT_EQ(reason(verify(joined("eyJhbGciOiJub25lIn0", a1_payload, ""), key, {})), "algorithm");
}

TEST(TokenVectors, OtherAlgorithmsOfRfc7515AreRefused)
{
    const Secret key = secret_of(test_key);
    for (const char* const header : {"eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJFUzUxMiJ9"})
        EXPECT_EQ(reason(verify(joined(header, a1_payload, a1_signature), key, {})), "algorithm") << header;
}

TEST(TokenVectors, AnEncryptedTokenOfRfc7519HasFiveParts)
{
    EXPECT_EQ(reason(verify("eyJhbGciOiJSU0ExXzUi.QR1O.AxY8.MKOl.fiK5", secret_of(test_key), {})), "form");
}

TEST(TokenVectors, Base64OfRfc4648)
{
    EXPECT_EQ(decode_base64url(""), "");
    EXPECT_EQ(decode_base64url("Zg"), "f");
    EXPECT_EQ(decode_base64url("Zm8"), "fo");
    EXPECT_EQ(decode_base64url("Zm9v"), "foo");
    EXPECT_EQ(decode_base64url("Zm9vYmFy"), "foobar");
    EXPECT_EQ(decode_base64url("A-z_4ME"), "\x03\xec\xff\xe0\xc1");  // RFC 7515, appendix C
}

TEST(TokenVectors, Base64ThatIsNotTheOneWayToWriteIt)
{
    for (const char* const text : {"Zg==", "Z", "Zm9vY", "Zh", "Zm9", "A+z/4ME", "Zm 9v", "Zm9v\n", "Zm9v.", "\xc3\xa9"})
        EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
    EXPECT_EQ(decode_base64url(std::string_view("Zm9v\0", 5)), std::nullopt);
}

TEST(TokenVectors, WhatIsMintedIsWhatOthersWouldSign)
{
    Order order;
    order.user = "alice";
    order.now = 1700000000;
    const auto token = mint(order, secret_of(test_key));
    ASSERT_TRUE(token.ok());
    EXPECT_EQ(token.value(), signed_token(usual_header, R"({"exp":1700001800,"iat":1700000000,"sun":"alice"})"));
}

TEST(TokenVectors, MintedTokensOfAllKindsAreVerified)
{
    const Identity identity{2001,
                            2002,
                            "alice",
                            "Al\xef"
                            "ce",
                            "/home/alice",
                            "/bin/sh",
                            {2002, 7, 4294967294U}};
    for (const Detail detail : {Detail::name, Detail::ids, Detail::identity})
        for (const char* const claim : {"sun", "username", "preferred_username"}) {
            const Order order{"alice", claim, std::chrono::seconds(60), 1700000000, detail, identity};
            const auto token = mint(order, secret_of(test_key));
            ASSERT_TRUE(token.ok());
            const auto claims = verify(token.value(), secret_of(test_key), {claim, 1700000059, 0});
            ASSERT_TRUE(std::holds_alternative<Claims>(claims)) << std::get<Refused>(claims).text;
            EXPECT_EQ(std::get<Claims>(claims).user, "alice");
            EXPECT_EQ(std::get<Claims>(claims).user_claim, claim);
            EXPECT_EQ(std::get<Claims>(claims).uid, detail == Detail::name ? std::nullopt : std::optional<uid_t>(2001));
            EXPECT_EQ(std::get<Claims>(claims).gid, detail == Detail::name ? std::nullopt : std::optional<gid_t>(2002));
        }
}

TEST(TokenVectors, TheIdentityIsWhatSlurmReads)
{
    const Identity identity{2001, 2002, "alice", "A, B", "/home/alice", "/bin/sh", {2002, 7}};
    const Order order{"alice", "sun", std::chrono::seconds(60), 1700000000, Detail::identity, identity};
    const auto token = mint(order, secret_of(test_key));
    ASSERT_TRUE(token.ok());
    const auto payload = decode_part("payload", std::get<Parts>(split_token(token.value())).payload);
    const json expected = json::parse(R"({"exp":1700000060,"gid":2002,"iat":1700000000,"sun":"alice","uid":2001,
        "id":{"name":"alice","gecos":"A, B","dir":"/home/alice","shell":"/bin/sh","gids":[2002,7]}})");
    EXPECT_EQ(std::get<json>(payload), expected);
}

TEST(TokenVectors, WhatMakesNoTokenIsNotMinted)
{
    const Secret key = secret_of(test_key);
    Order good;
    good.user = "alice";
    good.now = 1700000000;
    ASSERT_TRUE(mint(good, key).ok());
    const auto refused = [&](auto change) {
        Order order = good;
        change(order);
        return !mint(order, key).ok();
    };
    for (const std::string& user : {std::string(), std::string("a\nb"), std::string("\xff"), std::string(256, 'a')})
        EXPECT_TRUE(refused([&](Order& order) { order.user = user; })) << user;
    for (const char* const claim : {"", "iat", "exp", "nbf", "uid", "gid", "id", "a b", "a\"b", "\xc3\xa9"})
        EXPECT_TRUE(refused([&](Order& order) { order.user_claim = claim; })) << claim;
    for (const long seconds : {0L, -1L, 31536001L, std::numeric_limits<long>::max()})
        EXPECT_TRUE(refused([&](Order& order) { order.lifespan = std::chrono::seconds(seconds); })) << seconds;
    EXPECT_TRUE(refused([&](Order& order) { order.detail = Detail::ids; }));
    EXPECT_TRUE(refused([&](Order& order) {
        order.detail = Detail::identity;
        order.identity = Identity{1, 1, "alice", "", "/home/\xff", "/bin/sh", {}};
    }));
    EXPECT_TRUE(refused([&](Order& order) {
        order.detail = Detail::identity;
        order.identity = Identity{1, 1, "alice", "", "/", "/bin/sh", std::vector<gid_t>(10000, 4000000000U)};
    }));
}

}  // namespace
}  // namespace slurm_adopt::jwt
