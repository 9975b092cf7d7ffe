// SPDX-License-Identifier: GPL-2.0-or-later
// Base64 (RFC 4648), strict: each text decodes to one value, and no other text does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jwt/secret.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::jwt {

// The parts of a token (RFC 7515, section 2): the alphabet of section 5 of RFC 4648 without padding, blanks and bits left
// over. None where it is anything else.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

// A key as other programs write one down: either alphabet but not both, padded or not, line ends anywhere. What is decoded
// is in a Secret from the first byte on. ErrorCode::malformed: it is something else, or it is empty.
[[nodiscard]] Result<Secret> decode_key_text(const Secret& text);

}  // namespace slurm_adopt::jwt
