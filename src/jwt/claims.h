// SPDX-License-Identifier: GPL-2.0-or-later
// The claims of a token that Slurm reads: https://slurm.schedmd.com/jwt.html (22.05 to 26.05) and RFC 7519.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "jwt/refusal.h"

namespace slurm_adopt::jwt {

// Seconds since 1970, UTC (RFC 7519, NumericDate). Slurm reads whole ones only.
using Time = std::int64_t;

struct Claims {
    std::string user;
    std::string user_claim;  // where the user was found
    Time issued = 0;         // iat
    Time expires = 0;        // exp; `scontrol token lifespan=infinite` has the highest number here
    Time not_before = 0;     // nbf; 0 where there is none
    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
};

// The claim with the user where AuthAltParameters has no userclaimfield.
inline constexpr std::string_view usual_user_claim = "sun";

// Types and ranges only; what time it is does not matter here. The user is looked for as slurmctld does: sun, then
// username, then `user_claim` (userclaimfield of AuthAltParameters; may be empty). A claim that is there has to be right,
// also one that Slurm may pass over: nbf, uid, gid and id{name,gecos,dir,shell,gids,groups} (see identity.h).
[[nodiscard]] Checked<Claims> read_claims(const nlohmann::json& payload, const std::string& user_claim);

// Whether the claims hold at `now`, give or take `skew` seconds for clocks that disagree (0 or more). At exp the token is
// over (RFC 7519, 4.1.4).
[[nodiscard]] std::optional<Refused> check_times(const Claims& claims, Time now, Time skew);

// What a JSON text can hold as it is.
[[nodiscard]] bool is_utf8(std::string_view text);

// A name that can stand for a user: 1 to 255 bytes of UTF-8, no control characters.
[[nodiscard]] bool is_user_name(std::string_view name);

// A claim that can hold the user: none that means something else already, of letters, digits and -_.:/ only.
[[nodiscard]] bool can_hold_user(std::string_view claim);

}  // namespace slurm_adopt::jwt
