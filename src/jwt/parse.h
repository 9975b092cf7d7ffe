// SPDX-License-Identifier: GPL-2.0-or-later
// A token's text taken apart (RFC 7515, section 7.1: header.payload.signature), not verified.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "jwt/refusal.h"

namespace slurm_adopt::jwt {

// A token of scontrol's has 130 bytes; one that names 8000 groups fits. It has to fit in one variable of the environment
// (128 KiB on Linux) and in an HTTP header.
inline constexpr std::size_t longest_token = std::size_t{64} * 1024;
// How deep objects and lists may lie in each other; Slurm's claims need three.
inline constexpr int deepest_json = 16;

struct Parts {
    std::string_view header;  // still encoded
    std::string_view payload;
    std::string_view signature;  // empty for "none"
};

// Views of `token`. Exactly two dots, and between them nothing but characters of the URL's Base64.
[[nodiscard]] Checked<Parts> split_token(std::string_view token);

// A part as the one JSON object that it has to be. Names that occur twice are refused at every depth, after escapes are
// resolved. `part` is for the text of the refusal: "header", "payload".
[[nodiscard]] Checked<nlohmann::json> decode_part(std::string_view part, std::string_view encoded);

}  // namespace slurm_adopt::jwt
