// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/parse.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "jwt/base64.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::jwt {
namespace {

using nlohmann::json;

bool of_the_alphabet(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Looks at the names while they are read: a json object keeps only one of two.
class Names {
public:
    // What the parser calls; true: keep the value.
    bool operator()(int depth, json::parse_event_t event, const json& parsed)
    {
        if (depth > deepest_json) too_deep_ = true;
        if (event == json::parse_event_t::object_start) open_.emplace_back();
        if (event == json::parse_event_t::object_end && !open_.empty()) open_.pop_back();
        if (event == json::parse_event_t::key && !open_.empty() && parsed.is_string())
            if (!open_.back().insert(parsed.get_ref<const std::string&>()).second) twice_ = parsed.get<std::string>();
        return true;
    }
    [[nodiscard]] const std::optional<std::string>& twice() const { return twice_; }
    [[nodiscard]] bool too_deep() const { return too_deep_; }

private:
    std::vector<std::set<std::string>> open_;
    std::optional<std::string> twice_;
    bool too_deep_ = false;
};

}  // namespace

Checked<Parts> split_token(std::string_view token)
{
    if (token.size() > longest_token)
        return Refused{Refusal::too_large, "it is longer than " + std::to_string(longest_token) + " bytes"};
    const std::vector<std::string_view> parts = split(token, '.');
    if (parts.size() != 3)
        return Refused{Refusal::form, "a token has three parts between two dots, this has " + std::to_string(parts.size())};
    for (const std::string_view part : parts)
        if (!std::all_of(part.begin(), part.end(), of_the_alphabet))
            return Refused{Refusal::encoding, "there is a character in it that no token has"};
    return Parts{parts[0], parts[1], parts[2]};
}

Checked<json> decode_part(std::string_view part, std::string_view encoded)
{
    const std::string its(part);
    const std::optional<std::string> text = decode_base64url(encoded);
    if (!text) return Refused{Refusal::encoding, "its " + its + " is not Base64 as tokens have it"};
    Names names;
    json value = json::parse(
        *text, [&names](int depth, json::parse_event_t event, const json& parsed) { return names(depth, event, parsed); },
        false);
    if (!value.is_object()) return Refused{Refusal::json, "its " + its + " is not a JSON object"};
    if (names.too_deep()) return Refused{Refusal::json, "its " + its + " is nested too deep"};
    if (names.twice())
        return Refused{Refusal::duplicate, "its " + its + " has the name '" + printable(*names.twice()) + "' twice"};
    return value;
}

}  // namespace slurm_adopt::jwt
