// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/claims.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "slurm_adopt/text.h"

namespace slurm_adopt::jwt {
namespace {

using nlohmann::json;

constexpr std::size_t longest_user_name = 255;   // LOGIN_NAME_MAX of Linux, without the NUL
constexpr std::size_t longest_claim_name = 128;  // room for a URI (RFC 7519, 4.2)

Refused wrong(const std::string& claim, const std::string& why)
{
    return Refused{Refusal::claim_wrong, "claim " + claim + " " + why};
}

// A whole number from 0 to `most`. The parser makes a floating one of what does not fit in 64 bits.
Checked<std::uint64_t> whole_number(const std::string& claim, const json& value, std::uint64_t most)
{
    if (value.is_number_float()) return wrong(claim, "is too large, or no whole number");
    if (!value.is_number_integer()) return wrong(claim, "is no number");
    if (!value.is_number_unsigned() && value.get<std::int64_t>() < 0) return wrong(claim, "is negative");
    const auto number = value.get<std::uint64_t>();
    if (number > most) return wrong(claim, "is too large");
    return number;
}

Checked<Time> time_of(const json& payload, const std::string& claim)
{
    const auto found = payload.find(claim);
    if (found == payload.end()) return Refused{Refusal::claim_missing, "there is no claim " + claim};
    auto number = whole_number(claim, *found, static_cast<std::uint64_t>(std::numeric_limits<Time>::max()));
    if (auto* refused = std::get_if<Refused>(&number)) return std::move(*refused);
    return static_cast<Time>(std::get<std::uint64_t>(number));
}

// The highest number stands for "no such id" (chown(2)).
Checked<std::uint32_t> id_number(const std::string& claim, const json& value)
{
    auto number = whole_number(claim, value, std::numeric_limits<std::uint32_t>::max() - 1);
    if (auto* refused = std::get_if<Refused>(&number)) return std::move(*refused);
    return static_cast<std::uint32_t>(std::get<std::uint64_t>(number));
}

using MaybeId = std::optional<std::uint32_t>;

Checked<MaybeId> id_of(const json& payload, const std::string& claim)
{
    const auto found = payload.find(claim);
    if (found == payload.end()) return MaybeId();
    auto number = id_number(claim, *found);
    if (auto* refused = std::get_if<Refused>(&number)) return std::move(*refused);
    return MaybeId(std::get<std::uint32_t>(number));
}

std::optional<Refused> check_numbers(const std::string& claim, const json& values)
{
    for (const json& value : values) {
        auto number = id_number(claim, value);
        if (auto* refused = std::get_if<Refused>(&number)) return std::move(*refused);
    }
    return std::nullopt;
}

std::optional<Refused> check_identity(const json& payload)
{
    const auto found = payload.find("id");
    if (found == payload.end()) return std::nullopt;
    if (!found->is_object()) return wrong("id", "is no object");
    for (const char* const name : {"name", "gecos", "dir", "shell"}) {
        const auto part = found->find(name);
        if (part != found->end() && !part->is_string()) return wrong(std::string("id.") + name, "is no text");
    }
    if (const auto gids = found->find("gids"); gids != found->end()) {
        if (!gids->is_array()) return wrong("id.gids", "is no list");
        if (auto refused = check_numbers("id.gids", *gids)) return refused;
    }
    if (const auto groups = found->find("groups"); groups != found->end()) {
        if (!groups->is_object()) return wrong("id.groups", "is no object");
        if (auto refused = check_numbers("id.groups", *groups)) return refused;
    }
    return std::nullopt;
}

struct Named {
    std::string user;
    std::string claim;
};

Checked<Named> user_of(const json& payload, const std::string& user_claim)
{
    for (const std::string& claim : {std::string(usual_user_claim), std::string("username"), user_claim}) {
        const auto found = claim.empty() ? payload.end() : payload.find(claim);
        if (found == payload.end()) continue;
        if (!found->is_string()) return wrong(claim, "is no text");
        if (!is_user_name(found->get_ref<const std::string&>())) return wrong(claim, "is no user's name");
        return Named{found->get<std::string>(), claim};
    }
    const std::string also = user_claim.empty() ? "" : " and no " + user_claim;
    return Refused{Refusal::claim_missing, "there is no claim sun, no username" + also + ": it names no user"};
}

std::string seconds(Time count)
{
    return std::to_string(count) + " s";
}

}  // namespace

Checked<Claims> read_claims(const json& payload, const std::string& user_claim)
{
    const auto named = user_of(payload, user_claim);
    if (const auto* refused = std::get_if<Refused>(&named)) return *refused;
    const auto issued = time_of(payload, "iat");
    if (const auto* refused = std::get_if<Refused>(&issued)) return *refused;
    const auto expires = time_of(payload, "exp");
    if (const auto* refused = std::get_if<Refused>(&expires)) return *refused;
    const auto not_before = payload.contains("nbf") ? time_of(payload, "nbf") : Checked<Time>(Time{0});
    if (const auto* refused = std::get_if<Refused>(&not_before)) return *refused;
    const auto uid = id_of(payload, "uid");
    if (const auto* refused = std::get_if<Refused>(&uid)) return *refused;
    const auto gid = id_of(payload, "gid");
    if (const auto* refused = std::get_if<Refused>(&gid)) return *refused;
    if (auto refused = check_identity(payload)) return std::move(*refused);

    return Claims{std::get<Named>(named).user, std::get<Named>(named).claim, std::get<Time>(issued), std::get<Time>(expires),
                  std::get<Time>(not_before),  std::get<MaybeId>(uid),       std::get<MaybeId>(gid)};
}

std::optional<Refused> check_times(const Claims& claims, Time now, Time skew)
{
    // Differences of numbers that are not negative: none of them can overflow.
    if (claims.issued - now > skew)
        return Refused{Refusal::issued_in_future, "claim iat is " + seconds(claims.issued - now) +
                                                      " in the future: compare the clocks of both machines"};
    if (claims.expires <= claims.issued)
        return Refused{Refusal::claim_wrong, "claim exp is not after iat: it never was valid"};
    if (claims.not_before - now > skew)
        return Refused{Refusal::not_yet_valid, "claim nbf is " + seconds(claims.not_before - now) + " in the future"};
    if (now - claims.expires >= skew)
        return Refused{Refusal::expired, "it expired " + seconds(now - claims.expires) + " ago"};
    return std::nullopt;
}

bool is_utf8(std::string_view text)
{
    // The two ways to write what is no UTF-8 agree only where there is nothing of that kind.
    const json value(text);
    return value.dump(-1, ' ', false, json::error_handler_t::ignore) ==
           value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_user_name(std::string_view name)
{
    return !name.empty() && name.size() <= longest_user_name && is_printable(name) && is_utf8(name);
}

bool can_hold_user(std::string_view claim)
{
    constexpr std::array<std::string_view, 6> taken{"iat", "exp", "nbf", "uid", "gid", "id"};
    constexpr std::string_view others = "-_.:/";
    return !claim.empty() && claim.size() <= longest_claim_name &&
           std::find(taken.begin(), taken.end(), claim) == taken.end() &&
           std::all_of(claim.begin(), claim.end(), [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      others.find(c) != std::string_view::npos;
           });
}

}  // namespace slurm_adopt::jwt
