// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

std::string_view code_of(Colour colour)
{
    switch (colour) {
    case Colour::none: return "";
    case Colour::good: return "\033[32m";
    case Colour::warning: return "\033[33m";
    case Colour::bad: return "\033[31m";
    case Colour::faint: return "\033[2m";
    }
    return "";
}

}  // namespace

void Output::line(std::string_view text) const
{
    fmt::print("{}\n", text);
}

void Output::document(const nlohmann::json& value) const
{
    // What is no UTF-8 (a file name, an environment) is replaced, not thrown at.
    fmt::print("{}\n", value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Output::error(std::string_view text) const
{
    std::string safe;
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 256))) safe += printable(text.substr(0, 256));
    fmt::print(stderr, "slurm-adopt: {}\n", safe);
}

std::string Output::coloured(Colour colour, std::string_view text) const
{
    if (!colours || colour == Colour::none) return std::string(text);
    return fmt::format("{}{}\033[0m", code_of(colour), text);
}

bool colours_wanted()
{
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') && terminal != nullptr &&
           std::string_view(terminal) != "dumb";
}

}  // namespace slurm_adopt::tool
