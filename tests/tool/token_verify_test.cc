// SPDX-License-Identifier: GPL-2.0-or-later
// Every way for a token not to be good, and the reason that is given; all but the first table are signed with the right key.
#include "jwt/verify.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "jwt/parse.h"
#include "slurm_adopt/text.h"
#include "token_support.h"

namespace slurm_adopt::jwt {
namespace {

using namespace token_test;

constexpr Time now = 1700000000;
constexpr std::string_view good_payload = R"({"exp":1700001000,"iat":1699999000,"sun":"alice"})";

std::string_view reason(const std::string& token, const Terms& terms = {"", now, 0})
{
    const auto claims = verify(token, secret_of(test_key), terms);
    const auto* refused = std::get_if<Refused>(&claims);
    if (refused == nullptr) return "good";
    EXPECT_TRUE(is_printable(refused->text)) << refused->text;
    EXPECT_FALSE(refused->text.empty());
    return name_of(refused->why);
}

std::string with_header(std::string_view header)
{
    return signed_token(header, good_payload);
}

std::string with_payload(std::string_view payload)
{
    return signed_token(usual_header, payload);
}

struct Case {
    std::string text;  // header or payload
    std::string_view reason;
};

TEST(TokenVerify, AGoodOne)
{
    const auto claims = verify(with_payload(good_payload), secret_of(test_key), {"", now, 0});
    ASSERT_TRUE(std::holds_alternative<Claims>(claims)) << std::get<Refused>(claims).text;
    EXPECT_EQ(std::get<Claims>(claims).user, "alice");
    EXPECT_EQ(std::get<Claims>(claims).issued, 1699999000);
    EXPECT_EQ(std::get<Claims>(claims).expires, 1700001000);
}

TEST(TokenVerify, Forms)
{
    const std::string good = with_payload(good_payload);
    const std::string two_parts = good.substr(0, good.rfind('.'));
    const Case cases[] = {
        {"", "form"},
        {"daemon", "form"},
        {two_parts, "form"},
        {good + ".", "form"},
        {"." + good, "form"},
        {two_parts + ".", "signature"},
        {"..", "json"},
        {" " + good, "encoding"},
        {good + "\n", "encoding"},
        {good + "=", "encoding"},
        {good + std::string(1, '\0'), "encoding"},
        {good.substr(0, good.size() - 1), "signature"},
        {good + "A", "signature"},
        {base64url("[]") + good.substr(good.find('.')), "json"},
        {std::string(longest_token + 1, 'A'), "too_large"},
        {std::string(longest_token, '.'), "form"},
    };
    for (const auto& [token, expected] : cases) EXPECT_EQ(reason(token), expected) << token.substr(0, 200);
}

TEST(TokenVerify, Headers)
{
    const Case cases[] = {
        {R"({"alg":"HS256"})", "good"},
        {R"({"alg":"HS256","typ":"jwt","kid":"1"})", "good"},
        {R"({"typ":"JWT"})", "algorithm"},
        {R"({"alg":"none","typ":"JWT"})", "algorithm"},
        {R"({"alg":"None"})", "algorithm"},
        {R"({"alg":"hs256"})", "algorithm"},
        {R"({"alg":"Hs256"})", "algorithm"},
        {R"({"alg":"HS256 "})", "algorithm"},
        {R"({"alg":"HS256\u0000"})", "algorithm"},
        {R"({"alg":"HS384"})", "algorithm"},
        {R"({"alg":"HS512"})", "algorithm"},
        {R"({"alg":"RS256"})", "algorithm"},
        {R"({"alg":"ES256"})", "algorithm"},
        {R"({"alg":"\u001b[2J"})", "algorithm"},
        {R"({"alg":""})", "algorithm"},
        {R"({"alg":256})", "algorithm"},
        {R"({"alg":null})", "algorithm"},
        {R"({"alg":["HS256"]})", "algorithm"},
        {R"({"ALG":"HS256"})", "algorithm"},
        {R"({"alg":"HS256","alg":"HS256"})", "duplicate"},
        {R"({"alg":"none","alg":"HS256"})", "duplicate"},
        {R"({"alg":"HS256","\u0061lg":"none"})", "duplicate"},
        {R"({"alg":"HS256","crit":["exp"]})", "header"},
        {R"({"alg":"HS256","crit":[]})", "header"},
        {R"({"alg":"HS256","typ":"JWE"})", "header"},
        {R"({"alg":"HS256","typ":1})", "header"},
        {R"({"alg":"HS256")", "json"},
        {R"({"alg":"HS256"} {})", "json"},
        {R"(["HS256"])", "json"},
        {"{\"alg\":\"HS256\",\"x\":\"\xff\"}", "json"},
        {"", "json"},
    };
    for (const auto& [header, expected] : cases) EXPECT_EQ(reason(with_header(header)), expected) << header;
}

TEST(TokenVerify, Claims)
{
    const Case cases[] = {
        {R"({"exp":1700001000,"iat":1699999000})", "claim_missing"},
        {R"({"exp":1700001000,"sun":"alice"})", "claim_missing"},
        {R"({"iat":1699999000,"sun":"alice"})", "claim_missing"},
        {R"({})", "claim_missing"},
        {R"({"exp":1700001000,"iat":1699999000,"sub":"alice"})", "claim_missing"},
        {R"({"exp":1700001000,"iat":1699999000,"username":"alice"})", "good"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":""})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":0})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":null,"username":"root"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":["alice"]})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"al\nice"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"al\u0000ice"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":")" + std::string(256, 'a') + R"("})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","sun":"root"})", "duplicate"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","s\u0075n":"root"})", "duplicate"},
        {R"({"exp":1,"exp":1700001000,"iat":1699999000,"sun":"alice"})", "duplicate"},
        {R"({"exp":"1700001000","iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":1700001000.0,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":1.7e9,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":true,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":null,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":-1,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":-9223372036854775808,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":9223372036854775808,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":18446744073709551616,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":99999999999999999999999999,"iat":1699999000,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":1e400,"iat":1699999000,"sun":"alice"})", "json"},
        // scontrol token lifespan=infinite
        {R"({"exp":9223372036854775807,"iat":1699999000,"sun":"alice"})", "good"},
        {R"({"exp":1700001000,"iat":"1699999000","sun":"alice"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":-5,"sun":"alice"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":9223372036854775807,"sun":"alice"})", "issued_in_future"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","nbf":"x"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","nbf":9223372036854775807})", "not_yet_valid"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","uid":"0"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","uid":-1})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","uid":4294967295})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","uid":4294967296})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","gid":1.5})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","uid":1000,"gid":4294967294})", "good"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":"alice"})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":{"dir":7}})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":{"gids":7}})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":{"gids":[1,"2"]}})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":{"groups":[1]}})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":{"groups":{"a":-1}}})", "claim_wrong"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":{"name":"a","name":"b"}})", "duplicate"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","id":{"name":"a","gids":[1,2],"groups":{"a":1}}})", "good"},
        {R"({"exp":1700001000,"iat":1699999000,"sun":"alice","x":)" + std::string(40, '[') + std::string(40, ']') + "}",
         "json"},
        {R"(["alice"])", "json"},
        {R"("alice")", "json"},
        {"", "json"},
    };
    for (const auto& [payload, expected] : cases) EXPECT_EQ(reason(with_payload(payload)), expected) << payload;
}

TEST(TokenVerify, WhoIsBelieved)
{
    const auto user = [](std::string_view claims, const std::string& user_claim) {
        const std::string payload = R"({"exp":1700001000,"iat":1699999000,)" + std::string(claims) + "}";
        const auto checked = verify(with_payload(payload), secret_of(test_key), {user_claim, now, 0});
        const auto* found = std::get_if<slurm_adopt::jwt::Claims>(&checked);
        return found == nullptr ? "nobody" : found->user + " by " + found->user_claim;
    };
    // The order of slurmctld.
    EXPECT_EQ(user(R"("mail":"m","username":"u","sun":"s")", "mail"), "s by sun");
    EXPECT_EQ(user(R"("mail":"m","username":"u")", "mail"), "u by username");
    EXPECT_EQ(user(R"("mail":"m")", "mail"), "m by mail");
    EXPECT_EQ(user(R"("mail":"m")", ""), "nobody");
}

struct Moment {
    Time at;
    Time skew;
    std::string_view reason;
};

TEST(TokenVerify, TheClock)
{
    const std::string token = with_payload(R"({"exp":1000,"iat":500,"nbf":600,"sun":"alice"})");
    const Moment moments[] = {
        {600, 0, "good"},
        {999, 0, "good"},
        {1000, 0, "expired"},
        {1001, 0, "expired"},
        {599, 0, "not_yet_valid"},
        {499, 0, "issued_in_future"},
        {1000, 1, "good"},
        {1001, 1, "expired"},
        {1059, 60, "good"},
        {1060, 60, "expired"},
        {540, 60, "good"},
        {539, 60, "not_yet_valid"},
        {440, 60, "not_yet_valid"},
        {439, 60, "issued_in_future"},
        {0, 60, "issued_in_future"},
    };
    for (const auto& [at, skew, expected] : moments) EXPECT_EQ(reason(token, {"", at, skew}), expected) << at << " " << skew;
    EXPECT_EQ(reason(with_payload(R"({"exp":500,"iat":500,"sun":"alice"})"), {"", 500, 60}), "claim_wrong");
    EXPECT_EQ(reason(with_payload(R"({"exp":499,"iat":500,"sun":"alice"})"), {"", 450, 60}), "claim_wrong");
}

TEST(TokenVerify, NothingOfAnUnsignedTokenIsSaid)
{
    const std::string token =
        signed_token(usual_header, R"({"exp":1,"iat":0,"sun":"alice"})", "another key of thirty-two bytes.");
    EXPECT_EQ(reason(token), "signature");  // and not that it has expired
}

}  // namespace
}  // namespace slurm_adopt::jwt
