// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "jwt/show.h"
#include "slurm_adopt/text.h"
#include "token/actions.h"
#include "token/token_input.h"

namespace slurm_adopt::tool {
namespace {

Exit say_no(const jwt::Refused& refused, const Output& output)
{
    if (output.json)
        output.document({{"verified", false}, {"reason", jwt::name_of(refused.why)}, {"message", refused.text}});
    else
        output.line(fmt::format("{}: {}", output.coloured(Colour::bad, "no"), refused.text));
    return Exit::no;
}

Exit say_yes(const jwt::Claims& claims, jwt::Time now, const Output& output)
{
    // 0 where only the skew keeps it valid.
    const jwt::Time remaining = std::max<jwt::Time>(claims.expires - now, 0);
    if (output.json) {
        output.document({{"verified", true},
                         {"user", claims.user},
                         {"user_claim", claims.user_claim},
                         {"iat", claims.issued},
                         {"exp", claims.expires},
                         {"remaining_seconds", remaining}});
        return Exit::yes;
    }
    const std::string clocks = claims.expires <= now ? ", and only because clocks may differ (--skew)" : "";
    output.line(fmt::format("{}: user {}, {} s left, until {}{}", output.coloured(Colour::good, "yes"),
                            printable(claims.user), remaining, jwt::utc(claims.expires), clocks));
    return Exit::yes;
}

}  // namespace

Exit verify_token(const VerifyOptions& options, const Output& output)
{
    const auto impossible = [&](const Error& error) {
        output.error(error.context);
        return Exit::impossible;
    };
    // The token first: with stdin closed, the key file would become descriptor 0, and be read as a token.
    const auto token = read_token(options.input);
    if (!token) return impossible(token.error());
    const auto key = read_key(options.key);
    if (!key) return impossible(key.error());

    const jwt::Time now = ::time(nullptr);
    const auto claims = jwt::verify(token.value(), key.value(), jwt::Terms{options.user_claim, now, options.skew.count()});
    if (const auto* refused = std::get_if<jwt::Refused>(&claims)) return say_no(*refused, output);
    return say_yes(std::get<jwt::Claims>(claims), now, output);
}

}  // namespace slurm_adopt::tool
