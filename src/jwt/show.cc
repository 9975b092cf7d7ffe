// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/show.h"

#include <ctime>
#include <limits>

#include "jwt/parse.h"

namespace slurm_adopt::jwt {
namespace {

using nlohmann::json;

std::string safe(const json& value)
{
    return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string when(const std::string& claim, const json& value)
{
    if ((claim != "iat" && claim != "exp" && claim != "nbf") || !value.is_number_unsigned()) return "";
    const auto time = value.get<std::uint64_t>();
    if (time > static_cast<std::uint64_t>(std::numeric_limits<Time>::max())) return "";
    return "  " + utc(static_cast<Time>(time));
}

}  // namespace

Checked<Shown> take_apart(std::string_view token)
{
    auto parts = split_token(token);
    if (auto* refused = std::get_if<Refused>(&parts)) return std::move(*refused);
    auto header = decode_part("header", std::get<Parts>(parts).header);
    if (auto* refused = std::get_if<Refused>(&header)) return std::move(*refused);
    auto claims = decode_part("payload", std::get<Parts>(parts).payload);
    if (auto* refused = std::get_if<Refused>(&claims)) return std::move(*refused);
    return Shown{std::get<json>(std::move(header)), std::get<json>(std::move(claims))};
}

std::vector<std::string> lines_of(const Shown& shown)
{
    std::vector<std::string> lines;
    for (const auto& [part, values] : {std::pair{"header  ", &shown.header}, std::pair{"claim  ", &shown.claims}})
        for (const auto& [name, value] : values->items())
            lines.push_back(part + safe(name) + "  " + safe(value) + when(name, value));
    return lines;
}

std::string utc(Time time)
{
    const time_t seconds = time;
    tm parts{};
    char text[64] = "";
    if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return std::to_string(time);
    return text;
}

}  // namespace slurm_adopt::jwt
