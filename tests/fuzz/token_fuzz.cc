// SPDX-License-Identifier: GPL-2.0-or-later
// Tokens as they are given to `slurm-adopt token`: four bytes that say how one is made of the rest (header up to a NUL, then
// payload) and what is tried with it. All zero: a good one of alice's.
#include <limits>
#include <nlohmann/json.hpp>

#include "input.h"
#include "jwt/base64.h"
#include "jwt/mint.h"
#include "jwt/parse.h"
#include "jwt/show.h"
#include "jwt/verify.h"
#include "require.h"
#include "slurm_adopt/text.h"
#include "support/signed_token.h"

using namespace slurm_adopt;
using namespace slurm_adopt::jwt;
using namespace slurm_adopt::token_test;
using fuzz::require;
using nlohmann::json;

namespace {

constexpr std::string_view usual_payload = R"({"exp":1700001000,"iat":1699999000,"sun":"alice"})";
constexpr std::string_view other_key = "0123456789abcdef0123456789ABCDEG";
constexpr Time clocks[] = {1700000000, 1700000999, 1700001000, 1699998999, 0, 4102444800, std::numeric_limits<Time>::max()};
constexpr const char* user_claims[] = {"", "preferred_username", "sub", "iat", "sun"};

const Secret& key()
{
    static const Secret secret = secret_of(test_key);
    return secret;
}

// The text of an encoded part: the test's own Base64 gives that part, so it is the right one, and the only one.
std::string text_of(std::string_view encoded)
{
    const auto text = decode_base64url(encoded);
    require(text && base64url(*text) == encoded, "a part has one text, and a text one part");
    return *text;
}

std::size_t names_in(const json& value)
{
    if (!value.is_structured()) return 0;
    std::size_t count = value.is_object() ? value.size() : 0;
    for (const json& below : value) count += names_in(below);
    return count;
}

int depth_of(const json& value)
{
    if (!value.is_structured()) return 0;
    int deepest = 0;
    for (const json& below : value) deepest = std::max(deepest, depth_of(below));
    return deepest + 1;
}

json object_of(std::string_view encoded)
{
    std::size_t names = 0;
    const json object = json::parse(text_of(encoded), [&](int, json::parse_event_t event, const json&) {
        if (event == json::parse_event_t::key) ++names;
        return true;
    });
    require(object.is_object(), "a part is an object");
    require(depth_of(object) <= deepest_json + 1, "a part is not deep");
    require(names == names_in(object), "no name is there twice");
    return object;
}

struct Encoded {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
};

// Taken apart by other means than split_token().
Encoded parts_of(std::string_view token)
{
    const std::size_t first = token.find('.');
    const std::size_t last = token.rfind('.');
    require(first < last && token.find('.', first + 1) == last && token.size() <= longest_token, "a token has three parts");
    return {token.substr(0, first), token.substr(first + 1, last - first - 1), token.substr(last + 1)};
}

bool has_right_signature(std::string_view token)
{
    const std::size_t last = token.rfind('.');
    return token.substr(last + 1) == base64url(hmac_sha256(test_key, token.substr(0, last)));
}

void check_claims(const Claims& claims, const json& payload, const Terms& terms)
{
    const auto is_time = [&](const char* name, Time time) {
        return payload.contains(name) && payload[name].is_number_integer() && payload[name] == time && time >= 0;
    };
    require(is_time("iat", claims.issued) && is_time("exp", claims.expires), "iat and exp are those of the payload");
    require(payload.contains("nbf") ? is_time("nbf", claims.not_before) : claims.not_before == 0, "and so is nbf");
    require(claims.expires > terms.now - terms.skew, "a good token has not expired");
    require(claims.issued - terms.skew <= terms.now && claims.not_before - terms.skew <= terms.now, "a good token is valid already");
    require(claims.issued < claims.expires, "a good token was valid once");

    const char* const claim = payload.contains("sun") ? "sun" : payload.contains("username") ? "username" : terms.user_claim.c_str();
    require(claims.user_claim == claim && payload.contains(claim) && payload[claim] == claims.user, "the user is the payload's");
    require(!claims.user.empty() && claims.user.size() <= 255 && is_printable(claims.user), "a user has a name");
    for (const auto& [name, id] : {std::pair{"uid", claims.uid}, std::pair{"gid", claims.gid}}) {
        require(id.has_value() == payload.contains(name), "an id is there or not");
        require(!id || (payload[name] == *id && *id != 4294967295U), "an id is the payload's, and one");
    }
}

void check_shown(std::string_view token, bool is_good)
{
    const auto shown = take_apart(token);
    require(std::holds_alternative<Shown>(shown) || !is_good, "a good token can be shown");
    if (std::holds_alternative<Refused>(shown)) return;
    const auto& [header, claims] = std::get<Shown>(shown);
    const Encoded parts = parts_of(token);
    require(object_of(parts.header) == header && object_of(parts.payload) == claims, "what is shown is what is there");
    const auto lines = lines_of(std::get<Shown>(shown));
    require(lines.size() == header.size() + claims.size(), "a line for each name");
    for (const std::string& line : lines) {
        const bool is_plain = std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; });
        require(is_plain && (line.starts_with("header  \"") || line.starts_with("claim  \"")), "a line is plain text");
    }
}

void check_good(const std::string& token, const Claims& claims, const Terms& terms)
{
    const Encoded parts = parts_of(token);
    require(has_right_signature(token), "a good token is signed with the key");
    const json header = object_of(parts.header);
    require(header.value("alg", json()) == "HS256" && !header.contains("crit"), "a good token is HS256, and nothing else");
    check_claims(claims, object_of(parts.payload), terms);

    const auto with_other_key = verify(token, secret_of(other_key), terms);
    const auto* refused = std::get_if<Refused>(&with_other_key);
    require(refused != nullptr && refused->why == Refusal::signature, "with another key it is not good");
    if (claims.expires > std::numeric_limits<Time>::max() - terms.skew) return;
    const auto later = verify(token, key(), {terms.user_claim, claims.expires + terms.skew, terms.skew});
    const auto* expired = std::get_if<Refused>(&later);
    require(expired != nullptr && expired->why == Refusal::expired, "a good token expires");
}

void check_changed(std::string token, const Terms& terms, unsigned at, unsigned change)
{
    char& byte = token[at * token.size() / 256];
    if ((change & 0xffU) == 0) change = 1;
    byte = static_cast<char>(byte ^ static_cast<char>(change));
    require(std::holds_alternative<Refused>(verify(token, key(), terms)), "a good token that was changed is not good");
}

Order order_of(fuzz::Input& input, Time now)
{
    Order order;
    order.now = std::min<Time>(now, 4102444800);
    order.detail = static_cast<Detail>(input.byte() % 3);
    order.lifespan = std::chrono::seconds(input.word());
    const std::string claim(input.text());
    if (!claim.empty()) order.user_claim = claim;
    const std::string user(input.text());
    order.user = user.empty() ? "alice" : user;
    Identity identity{input.word(), input.word(), order.user, std::string(input.text()), std::string(input.text()), "/bin/sh", {}};
    for (unsigned count = input.byte(); count > 0; --count) identity.gids.push_back(input.word());
    if (order.detail != Detail::name) order.identity = std::move(identity);
    return order;
}

void check_minted(fuzz::Input& input, const Terms& usual)
{
    const Order order = order_of(input, usual.now);
    const auto token = mint(order, key());
    if (!token) {
        require(!token.error().context.empty(), "an error says what it is");
        return;
    }
    const Terms terms{order.user_claim, order.now, usual.skew};
    const auto claims = verify(token.value(), key(), terms);
    require(std::holds_alternative<Claims>(claims), "what is minted is good");
    check_good(token.value(), std::get<Claims>(claims), terms);
    const Claims& good = std::get<Claims>(claims);
    require(good.user == order.user && good.expires == order.now + order.lifespan.count(), "what is minted is what was asked for");
    require(good.uid.has_value() == (order.detail != Detail::name), "an id is there where it was asked for");
}

std::string token_of(fuzz::Input& input, unsigned how)
{
    if (how == 3) return std::string(input.rest());
    const std::string_view given_header = input.text();
    const std::string_view given_payload = input.rest();
    const std::string_view header = given_header.empty() ? usual_header : given_header;
    const std::string_view payload = given_payload.empty() ? usual_payload : given_payload;
    if (how == 2) return base64url(header) + '.' + base64url(payload) + '.';
    return signed_token(header, payload, how == 0 ? test_key : other_key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    const unsigned how = input.byte();
    const unsigned when = input.byte();
    const unsigned at = input.byte();
    const unsigned change = input.byte();
    const Terms terms{user_claims[when / 8 % std::size(user_claims)], clocks[when % 8 % std::size(clocks)], Time{how / 8}};
    if (how % 8 == 4) {
        check_minted(input, terms);
        return 0;
    }
    const std::string token = token_of(input, how % 8);
    const auto claims = verify(token, key(), terms);
    const auto* good = std::get_if<Claims>(&claims);
    check_shown(token, good != nullptr);
    if (good != nullptr) {
        check_good(token, *good, terms);
        check_changed(token, terms, at, change);
        return 0;
    }
    const Refused& refused = std::get<Refused>(claims);
    require(!refused.text.empty() && is_printable(refused.text), "a refusal is one line of text");
    require(name_of(refused.why) != "unknown", "a refusal has a name");
    require(refused.why != Refusal::signature || how % 8 != 0 || !is_signed_with(token, key()), "a signature is right or wrong");
    return 0;
}
