// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/environment_import.h"

#include <algorithm>

namespace slurm_adopt {
namespace {

constexpr std::size_t most_entries = 8 * most_variables;

// Calls `take` with each entry; it returns false to end it.
template <class Take>
void for_each_entry(std::string_view block, Take take)
{
    for (std::size_t end = block.find('\0'); end != std::string_view::npos; end = block.find('\0')) {
        const std::string_view entry = block.substr(0, end);
        block.remove_prefix(end + 1);
        const std::size_t equals = entry.find('=');
        if (equals != std::string_view::npos && !take(Variable{entry.substr(0, equals), entry.substr(equals + 1)})) return;
    }
}

bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// How many bytes of a character follow its first one, and between which values the first of them is (RFC 3629, section 4).
struct Sequence {
    std::size_t following = 0;
    unsigned char least = 0x80;
    unsigned char most = 0xbf;
};

std::optional<Sequence> sequence_of(unsigned char first)
{
    if (first == 0xc2) return Sequence{1, 0xa0, 0xbf};  // not the controls U+0080 to U+009F
    if (first > 0xc2 && first <= 0xdf) return Sequence{1};
    if (first == 0xe0) return Sequence{2, 0xa0, 0xbf};
    if (first == 0xed) return Sequence{2, 0x80, 0x9f};
    if (first > 0xe0 && first <= 0xef) return Sequence{2};
    if (first == 0xf0) return Sequence{3, 0x90, 0xbf};
    if (first > 0xf0 && first <= 0xf3) return Sequence{3};
    if (first == 0xf4) return Sequence{3, 0x80, 0x8f};
    return std::nullopt;
}

}  // namespace

bool is_variable_name(std::string_view name)
{
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool matches(std::string_view pattern, std::string_view name)
{
    if (pattern.empty() || pattern.back() != '*') return name == pattern;
    pattern.remove_suffix(1);
    return name.starts_with(pattern);
}

bool is_importable(std::span<const std::string> patterns, std::string_view name)
{
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(pattern, name); }) &&
           is_variable_name(name) && !is_denied_variable(name);
}

bool is_plain_text(std::string_view value)
{
    for (std::size_t at = 0; at < value.size(); ++at) {
        const auto first = static_cast<unsigned char>(value[at]);
        if (first < ' ' || first == 0x7f) return false;
        if (first < 0x80) continue;
        const auto sequence = sequence_of(first);
        if (!sequence || sequence->following >= value.size() - at) return false;
        for (std::size_t i = 0; i < sequence->following; ++i) {
            const auto next = static_cast<unsigned char>(value[++at]);
            if (next < (i == 0 ? sequence->least : 0x80) || next > (i == 0 ? sequence->most : 0xbf)) return false;
        }
    }
    return true;
}

std::optional<std::string_view> value_in(std::string_view block, std::string_view name)
{
    std::optional<std::string_view> found;
    for_each_entry(block, [&](const Variable& variable) {
        if (variable.name == name) found = variable.value;
        return !found;
    });
    return found;
}

Import choose_variables(std::string_view block, std::span<const std::string> patterns)
{
    Import found;
    std::size_t size = 0;
    std::size_t entries = 0;
    std::vector<std::string_view> seen;
    for_each_entry(block, [&](const Variable& variable) {
        if (!is_importable(patterns, variable.name)) return true;
        // No environ of a job has so many, and what it takes to look for each among those before grows with their square.
        if (++entries > most_entries) {
            ++found.too_many;
            return false;
        }
        if (std::find(seen.begin(), seen.end(), variable.name) != seen.end()) return true;
        seen.push_back(variable.name);
        const std::size_t room = variable.name.size() + variable.value.size() + 2;
        if (!is_plain_text(variable.value) || variable.value.starts_with("()")) {  // what old shells take for a function
            ++found.unfit;
        } else if (found.variables.size() == most_variables || room > most_imported - size) {
            ++found.too_many;
        } else {
            found.variables.push_back(variable);
            size += room;
        }
        return true;
    });
    return found;
}

}  // namespace slurm_adopt
