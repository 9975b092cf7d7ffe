// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/mint.h"

#include <jwt.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "jwt/parse.h"

namespace slurm_adopt::jwt {
namespace {

using nlohmann::json;

struct FreeJwt {
    void operator()(jwt_t* token) const { ::jwt_free(token); }
};
struct FreeText {
    void operator()(char* text) const { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc): libjwt's malloc()
};

Error malformed(const std::string& why)
{
    return Error{ErrorCode::malformed, 0, why};
}

std::optional<Error> check(const Order& order)
{
    if (!is_user_name(order.user)) return malformed("this cannot be the name of a user");
    if (!can_hold_user(order.user_claim))
        return malformed("this claim cannot hold the user: letters, digits and -_.:/, and none of iat exp nbf uid gid id");
    if (order.lifespan < shortest_lifespan || order.lifespan > longest_lifespan)
        return malformed("the lifespan has to be from " + std::to_string(shortest_lifespan.count()) + " to " +
                         std::to_string(longest_lifespan.count()) + " seconds");
    if (order.detail != Detail::name && !order.identity) return malformed("it is not known who the user is");
    if (order.detail == Detail::identity)
        for (const std::string* text : {&order.identity->name, &order.identity->dir, &order.identity->shell})
            if (!is_utf8(*text)) return malformed("the user's name, home or shell is no UTF-8");
    return std::nullopt;
}

json claims_of(const Order& order)
{
    json claims{{"iat", order.now}, {"exp", order.now + order.lifespan.count()}, {order.user_claim, order.user}};
    if (order.detail == Detail::name) return claims;
    const Identity& identity = *order.identity;
    claims["uid"] = identity.uid;
    claims["gid"] = identity.gid;
    if (order.detail == Detail::identity)
        claims["id"] = {{"name", identity.name},
                        {"gecos", identity.gecos},
                        {"dir", identity.dir},
                        {"shell", identity.shell},
                        {"gids", identity.gids}};
    return claims;
}

}  // namespace

Result<std::string> mint(const Order& order, const Secret& key)
{
    if (auto error = check(order)) return std::move(*error);
    // Only the gecos field may hold what is no UTF-8; nothing depends on it.
    const std::string claims = claims_of(order).dump(-1, ' ', false, json::error_handler_t::replace);

    jwt_t* made = nullptr;
    if (const int error = ::jwt_new(&made); error != 0) return system_error("new token", error);
    const std::unique_ptr<jwt_t, FreeJwt> token(made);
    if (const int error = ::jwt_add_grants_json(token.get(), claims.c_str()); error != 0)
        return system_error("claims of the token", error);
    if (const int error =
            ::jwt_set_alg(token.get(), JWT_ALG_HS256, key.bytes().data(), static_cast<int>(key.bytes().size()));
        error != 0)
        return system_error("key of the token", error);
    const std::unique_ptr<char, FreeText> text(::jwt_encode_str(token.get()));
    if (text == nullptr) return system_error("sign the token");
    std::string result(text.get());
    if (result.size() > longest_token)
        return Error{ErrorCode::too_large, 0, "the user has too many groups for a token: leave the identity out"};
    return result;
}

}  // namespace slurm_adopt::jwt
