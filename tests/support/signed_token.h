// SPDX-License-Identifier: GPL-2.0-or-later
// Tokens as others make them, good and bad: SHA-256, HMAC and Base64 that owe nothing to the code under test.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "jwt/secret.h"

namespace slurm_adopt::token_test {

using Digest = std::array<unsigned char, 32>;

[[nodiscard]] Digest sha256(std::string_view text);                                  // FIPS 180-4
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);  // RFC 2104, 32 raw bytes
[[nodiscard]] std::string base64url(std::string_view bytes);                         // RFC 7515, appendix C
[[nodiscard]] std::string base64(std::string_view bytes);                            // RFC 4648, section 4

inline constexpr std::string_view usual_header = R"({"alg":"HS256","typ":"JWT"})";
// 32 bytes, as RFC 7518 wants.
inline constexpr std::string_view test_key = "0123456789abcdef0123456789ABCDEF";

[[nodiscard]] std::string signed_token(std::string_view header, std::string_view payload, std::string_view key = test_key);

[[nodiscard]] jwt::Secret secret_of(std::string_view bytes);

}  // namespace slurm_adopt::token_test
