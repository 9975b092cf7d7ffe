// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/credential.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "jwt/claims.h"
#include "jwt/key_file.h"
#include "jwt/mint.h"
#include "jwt/parse.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::rest {
namespace {

using nlohmann::json;

// As long as munge allows clocks to differ.
constexpr std::chrono::seconds lifespan{300};
constexpr std::string_view export_prefix = "SLURM_JWT=";
// The certificates of all authorities that a system trusts are a quarter of this.
constexpr std::size_t longest_certificates = std::size_t{1024} * 1024;

Error of_file(const std::string& file, const std::string& what, ErrorCode code = ErrorCode::untrusted)
{
    return Error{code, 0, file + ": " + what};
}

std::string_view without_frame(std::string_view text)
{
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    if (text.starts_with(export_prefix)) text.remove_prefix(export_prefix.size());
    return text;
}

// The claim of a token that names its user; another one (userclaimfield of AuthAltParameters) is slurmctld's business.
std::optional<std::string> user_of(const json& claims)
{
    for (const char* claim : {"sun", "username"}) {
        const auto found = claims.find(claim);
        if (found != claims.end() && found->is_string() && jwt::is_user_name(found->get_ref<const std::string&>()))
            return found->get<std::string>();
    }
    return std::nullopt;
}

bool has_expired(const json& claims, std::int64_t now)
{
    const auto expires = claims.find("exp");
    return expires != claims.end() && expires->is_number() && expires->get<double>() <= static_cast<double>(now);
}

}  // namespace

Result<Credential> read_token(const std::string& file, const std::string& user, std::int64_t now)
{
    constexpr const char* advice = "others than root have permissions: chmod 0400, and make a new token if they could read it";
    constexpr std::size_t longest_line = jwt::longest_token + export_prefix.size() + 2;
    const auto text = read_own_file(file, Links::refused, S_IRWXG | S_IRWXO, advice, longest_line);
    if (!text) return text.error();
    const std::string_view token = without_frame(text.value());
    auto parts = jwt::split_token(token);
    if (const auto* refused = std::get_if<jwt::Refused>(&parts))
        return of_file(file, "is no token: " + refused->text, ErrorCode::malformed);
    auto payload = jwt::decode_part("payload", std::get<jwt::Parts>(parts).payload);
    if (const auto* refused = std::get_if<jwt::Refused>(&payload))
        return of_file(file, "is no token: " + refused->text, ErrorCode::malformed);
    if (!user.empty() && !jwt::is_user_name(user))
        return Error{ErrorCode::malformed, 0, "rest_user=" + printable(user) + ": cannot be the name of a user"};
    const json& claims = std::get<json>(payload);
    if (has_expired(claims, now)) return of_file(file, "the token has expired", ErrorCode::refused);
    return Credential{user.empty() ? user_of(claims).value_or("root") : user, std::string(token)};
}

Result<Credential> mint_token(const std::string& key_file, const std::string& user, std::int64_t now)
{
    const auto key = jwt::read_key_file(key_file, jwt::KeyFormat::raw, 0);
    if (!key) return key.error();
    jwt::Order order;
    order.user = user.empty() ? "root" : user;
    order.lifespan = lifespan;
    order.now = now;
    auto token = jwt::mint(order, key.value());
    if (!token) return std::move(token).error().in("token of " + printable(order.user));
    return Credential{order.user, std::move(token).value()};
}

Result<std::string> read_certificates(const std::string& file)
{
    auto text = read_own_file(file, Links::followed, S_IWGRP | S_IWOTH, "others than root may write to it", longest_certificates);
    if (text && text.value().find("-----BEGIN ") == std::string::npos)
        return of_file(file, "has no certificate in PEM", ErrorCode::malformed);
    return text;
}

}  // namespace slurm_adopt::rest
