// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/show.h"

#include "token/actions.h"
#include "token/token_input.h"

namespace slurm_adopt::tool {

Exit show_token(const std::string& input, const Output& output)
{
    const auto token = read_token(input);
    if (!token) {
        output.error(token.error().context);
        return Exit::impossible;
    }
    const auto shown = jwt::take_apart(token.value());
    if (const auto* refused = std::get_if<jwt::Refused>(&shown)) {
        if (output.json)
            output.document({{"verified", false}, {"reason", jwt::name_of(refused->why)}, {"message", refused->text}});
        else
            output.line(output.coloured(Colour::bad, "no token") + ": " + refused->text);
        return Exit::no;
    }
    const auto& said = std::get<jwt::Shown>(shown);
    if (output.json) {
        output.document({{"verified", false}, {"header", said.header}, {"claims", said.claims}});
        return Exit::yes;
    }
    output.line(output.coloured(
        Colour::bad, "NOT VERIFIED: anybody can write these lines into a token. Ask \"slurm-adopt token verify\"."));
    for (const std::string& line : jwt::lines_of(said)) output.line(line);
    return Exit::yes;
}

}  // namespace slurm_adopt::tool
