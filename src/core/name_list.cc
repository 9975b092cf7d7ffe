// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/name_list.h"

#include <algorithm>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // what editors of other systems put before UTF-8

std::string_view without_blanks_before(std::string_view text)
{
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

}  // namespace

bool is_user_or_group(std::string_view text)
{
    // Names of people come from directories too ("DOMAIN\user", "user@realm"), so only what would be a typo, or a list in
    // its place, is refused.
    return !text.empty() && text.front() != '@' && text.find_first_of("=,") == std::string_view::npos &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c != 0x7f; });
}

Result<std::vector<std::string>> parse_name_list(std::string_view text)
{
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    std::vector<std::string> names;
    std::size_t number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        const std::string_view words = without_blanks_before(line);
        if (words.empty() || words.front() == '#') continue;
        const std::string_view name = words.substr(0, words.find_first_of(blanks));
        const std::string_view rest = without_blanks_before(words.substr(name.size()));
        if (!is_user_or_group(name) || (!rest.empty() && rest.front() != '#'))
            return Error{ErrorCode::malformed, 0, "line " + std::to_string(number) + " is not one name: '" + printable(words) + "'"};
        names.emplace_back(name);
    }
    return names;
}

}  // namespace slurm_adopt
