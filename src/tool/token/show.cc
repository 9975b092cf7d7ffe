// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/core.h>

#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include "jwt/parse.h"
#include "jwt/refusal.h"
#include "token/actions.h"
#include "token/token_input.h"

namespace slurm_adopt::tool {
namespace {

using nlohmann::json;

struct Shown {
    json header;
    json claims;
};

jwt::Checked<Shown> take_apart(std::string_view token)
{
    auto parts = jwt::split_token(token);
    if (auto* refused = std::get_if<jwt::Refused>(&parts)) return std::move(*refused);
    auto header = jwt::decode_part("header", std::get<jwt::Parts>(parts).header);
    if (auto* refused = std::get_if<jwt::Refused>(&header)) return std::move(*refused);
    auto claims = jwt::decode_part("payload", std::get<jwt::Parts>(parts).payload);
    if (auto* refused = std::get_if<jwt::Refused>(&claims)) return std::move(*refused);
    return Shown{std::get<json>(std::move(header)), std::get<json>(std::move(claims))};
}

// ASCII only, control characters escaped: whoever wrote the token must not write to the terminal.
std::string safe(const json& value)
{
    return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string when(const std::string& claim, const json& value)
{
    if ((claim != "iat" && claim != "exp" && claim != "nbf") || !value.is_number_unsigned()) return "";
    const auto time = value.get<std::uint64_t>();
    if (time > static_cast<std::uint64_t>(std::numeric_limits<jwt::Time>::max())) return "";
    return "  " + utc(static_cast<jwt::Time>(time));
}

void print(const Shown& shown, const Output& output)
{
    output.line(output.coloured(
        Colour::bad, "NOT VERIFIED: anybody can write these lines into a token. Ask \"slurm-adopt token verify\"."));
    for (const auto& [part, values] : {std::pair{"header", &shown.header}, std::pair{"claim", &shown.claims}})
        for (const auto& [name, value] : values->items())
            output.line(fmt::format("{}  {}  {}{}", part, safe(name), safe(value), when(name, value)));
}

}  // namespace

std::string utc(jwt::Time time)
{
    const time_t seconds = time;
    tm parts{};
    char text[64] = "";
    if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return std::to_string(time);
    return text;
}

Exit show_token(const std::string& input, const Output& output)
{
    const auto token = read_token(input);
    if (!token) {
        output.error(token.error().context);
        return Exit::impossible;
    }
    const auto shown = take_apart(token.value());
    if (const auto* refused = std::get_if<jwt::Refused>(&shown)) {
        if (output.json)
            output.document({{"verified", false}, {"reason", jwt::name_of(refused->why)}, {"message", refused->text}});
        else
            output.line(output.coloured(Colour::bad, "no token") + ": " + refused->text);
        return Exit::no;
    }
    const auto& [header, claims] = std::get<Shown>(shown);
    if (output.json)
        output.document({{"verified", false}, {"header", header}, {"claims", claims}});
    else
        print(std::get<Shown>(shown), output);
    return Exit::yes;
}

}  // namespace slurm_adopt::tool
