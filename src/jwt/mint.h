// SPDX-License-Identifier: GPL-2.0-or-later
// Makes a token that slurmctld, slurmdbd and slurmrestd accept (auth/jwt), as `scontrol token` does.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "jwt/claims.h"
#include "jwt/identity.h"
#include "jwt/secret.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::jwt {

inline constexpr std::chrono::seconds usual_lifespan{1800};  // scontrol(1), token
inline constexpr std::chrono::seconds shortest_lifespan{1};
inline constexpr std::chrono::seconds longest_lifespan{std::chrono::hours{24 * 365}};

// How much the token says about the user besides the name.
enum class Detail { name, ids, identity };

struct Order {
    std::string user;
    std::string user_claim{usual_user_claim};
    std::chrono::seconds lifespan = usual_lifespan;
    Time now = 0;
    Detail detail = Detail::name;
    std::optional<Identity> identity;  // for ids (uid, gid) and identity (id too)
};

// The token, one line without its end. libjwt overwrites its copy of the key before it gives it back.
// ErrorCode::malformed: what is asked for makes no token (name, claim, lifespan, no identity for the detail).
// ErrorCode::too_large: longer than longest_token. ErrorCode::system: libjwt could not.
[[nodiscard]] Result<std::string> mint(const Order& order, const Secret& key);

}  // namespace slurm_adopt::jwt
