// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a token is good: of the right form, HS256, signed with this key, and valid now.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "jwt/claims.h"
#include "jwt/refusal.h"
#include "jwt/secret.h"

namespace slurm_adopt::jwt {

// None if the header is one that Slurm's tokens have: alg is HS256, in exactly these letters (RFC 7515, 4.1.1: compared by
// case), typ is JWT or not there, and nothing in it is critical (crit, RFC 7515, 4.1.11).
[[nodiscard]] std::optional<Refused> check_header(const nlohmann::json& header);

// What holds besides the signature.
struct Terms {
    std::string user_claim;  // see read_claims()
    Time now = 0;
    Time skew = 0;
};

// The signature alone. On its own it says nothing: libjwt takes HS256 in any case, and HS384 and HS512 (not these here). It
// is libjwt too that compares the signatures; that of Debian 12 (1.10.2-1+deb12u1) and upstream's from 1.17.1 on take the
// same time wherever they differ (CVE-2024-25189). False also for a payload that libjwt cannot read.
[[nodiscard]] bool is_signed_with(std::string_view token, const Secret& key);

// The claims of a good token. First its form and whether the claims can be read, then the signature, then the times: when
// a token expired is said only of one that this key signed.
[[nodiscard]] Checked<Claims> verify(std::string_view token, const Secret& key, const Terms& terms);

}  // namespace slurm_adopt::jwt
