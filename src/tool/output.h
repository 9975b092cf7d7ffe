// SPDX-License-Identifier: GPL-2.0-or-later
// How the commands speak: text for people on stdout, with colours only on a terminal, or one JSON document; what went
// wrong on stderr, a line each.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace slurm_adopt::tool {

enum class Colour { none, good, warning, bad, faint };

class Output {
public:
    bool json = false;     // --json
    bool colours = false;  // see colours_wanted()

    // A line to stdout as it is. What comes from outside has to be printable() by then.
    void line(std::string_view text) const;
    // The one JSON document of a command, indented, to stdout.
    void document(const nlohmann::json& value) const;
    // "slurm-adopt: TEXT" to stderr; control characters are replaced.
    void error(std::string_view text) const;
    // The text in that colour, or as it is.
    [[nodiscard]] std::string coloured(Colour colour, std::string_view text) const;
};

// stdout is a terminal, TERM is not "dumb" and NO_COLOR (no-color.org) is not set.
[[nodiscard]] bool colours_wanted();

}  // namespace slurm_adopt::tool
