// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/text.h"

#include <algorithm>

namespace slurm_adopt {
namespace {

constexpr std::size_t longest_value = 256;

template <class Keep>
std::string keep_or_question_mark(std::string_view text, std::size_t most, Keep keep)
{
    std::string safe(text.substr(0, most));
    for (char& c : safe)
        if (!keep(c)) c = '?';
    return safe;
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string log_value(std::string_view text)
{
    if (text.empty()) return "-";
    return keep_or_question_mark(text, longest_value, [](char c) { return c > ' ' && c <= '~' && c != '='; });
}

bool is_printable(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

std::string printable(std::string_view text, std::size_t most)
{
    return keep_or_question_mark(text, most, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string lower_case(std::string_view text)
{
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

}  // namespace slurm_adopt
