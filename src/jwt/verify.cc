// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/verify.h"

#include <jwt.h>
#include <strings.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "jwt/parse.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::jwt {
namespace {

using nlohmann::json;

struct FreeJwt {
    void operator()(jwt_t* token) const { ::jwt_free(token); }
};

}  // namespace

std::optional<Refused> check_header(const json& header)
{
    const auto algorithm = header.find("alg");
    if (algorithm == header.end() || !algorithm->is_string())
        return Refused{Refusal::algorithm, "its header names no algorithm (alg); only HS256 is accepted"};
    const auto& named = algorithm->get_ref<const std::string&>();
    if (named != "HS256")
        return Refused{Refusal::algorithm, "its algorithm is '" + printable(named) + "'; only HS256 is accepted"};
    if (header.contains("crit"))
        return Refused{Refusal::header, "its header has critical extensions (crit), and none is known here"};
    const auto type = header.find("typ");
    if (type != header.end() &&
        (!type->is_string() || ::strcasecmp(type->get_ref<const std::string&>().c_str(), "JWT") != 0))
        return Refused{Refusal::header, "its header says that it is no JWT (typ)"};
    return std::nullopt;
}

bool is_signed_with(std::string_view token, const Secret& key)
{
    const std::string text(token);
    jwt_t* decoded = nullptr;
    const int error = ::jwt_decode(&decoded, text.c_str(), key.bytes().data(), static_cast<int>(key.bytes().size()));
    const std::unique_ptr<jwt_t, FreeJwt> owned(decoded);
    return error == 0 && decoded != nullptr && ::jwt_get_alg(decoded) == JWT_ALG_HS256;
}

Checked<Claims> verify(std::string_view token, const Secret& key, const Terms& terms)
{
    auto parts = split_token(token);
    if (auto* refused = std::get_if<Refused>(&parts)) return std::move(*refused);
    const auto [encoded_header, encoded_payload, signature] = std::get<Parts>(parts);

    auto header = decode_part("header", encoded_header);
    if (auto* refused = std::get_if<Refused>(&header)) return std::move(*refused);
    if (auto refused = check_header(std::get<json>(header))) return std::move(*refused);
    auto payload = decode_part("payload", encoded_payload);
    if (auto* refused = std::get_if<Refused>(&payload)) return std::move(*refused);
    auto claims = read_claims(std::get<json>(payload), terms.user_claim);
    if (auto* refused = std::get_if<Refused>(&claims)) return std::move(*refused);
    if (signature.empty()) return Refused{Refusal::signature, "it has no signature"};
    if (!is_signed_with(token, key))
        return Refused{Refusal::signature, "the signature is not this key's: another key, or the token was changed"};
    if (auto refused = check_times(std::get<Claims>(claims), terms.now, terms.skew)) return std::move(*refused);
    return claims;
}

}  // namespace slurm_adopt::jwt
