// SPDX-License-Identifier: GPL-2.0-or-later
// What a token says, for people and not verified: anybody can write it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "jwt/claims.h"
#include "jwt/refusal.h"

namespace slurm_adopt::jwt {

struct Shown {
    nlohmann::json header;
    nlohmann::json claims;
};

// Its form is looked at, and nothing else.
[[nodiscard]] Checked<Shown> take_apart(std::string_view token);

// A line for each name of both parts: "claim  "exp"  1700001000  2023-11-14T22:30:00Z". ASCII only, control characters
// escaped: whoever wrote the token must not write to the terminal.
[[nodiscard]] std::vector<std::string> lines_of(const Shown& shown);

// 2026-11-21T22:45:00Z, or the number where it is beyond all years.
[[nodiscard]] std::string utc(Time time);

}  // namespace slurm_adopt::jwt
