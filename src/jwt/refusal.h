// SPDX-License-Identifier: GPL-2.0-or-later
// Why a token is not good.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace slurm_adopt::jwt {

enum class Refusal {
    too_large,         // more than longest_token bytes
    form,              // not three parts between two dots
    encoding,          // a part is not Base64 as RFC 7515 wants it
    json,              // a part is not one JSON object
    duplicate,         // a name occurs twice in one object: each reader would believe another one
    header,            // a header that has to be understood, and is not
    algorithm,         // anything but HS256
    signature,         // not made with this key, or changed since
    claim_missing,     // iat, exp or the user is not there
    claim_wrong,       // a claim of the wrong type or out of its range
    expired,           // exp has passed
    not_yet_valid,     // nbf has not come
    issued_in_future,  // iat has not come
};

// What is said to programs: the enumerator's own name.
[[nodiscard]] std::string_view name_of(Refusal refusal);

struct Refused {
    Refusal why;
    std::string text;  // one line for people; no control characters, nothing of the token but names and times
};

// A T, or why there is none.
template <class T>
using Checked = std::variant<Refused, T>;

}  // namespace slurm_adopt::jwt
