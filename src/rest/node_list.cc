// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/node_list.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::rest {
namespace {

constexpr std::size_t most_digits = 18;  // fits in 64 bits

// How much of the name has been matched: several lengths are possible, "n[1,11][1-111]" for "n111".
using Lengths = std::bitset<helper_wire::longest_node>;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::size_t width = 0;  // digits of the first
};

std::optional<Range> parse_range(std::string_view text)
{
    const std::size_t dash = text.find('-');
    const std::string_view low = text.substr(0, dash);
    const std::string_view high = dash == std::string_view::npos ? low : text.substr(dash + 1);
    if (low.size() > most_digits || high.size() > most_digits) return std::nullopt;
    const auto first = parse_number<std::uint64_t>(low);
    const auto last = parse_number<std::uint64_t>(high);
    if (!first || !last || *last < *first) return std::nullopt;
    return Range{*first, *last, low.size()};
}

bool contains(const Range& range, std::string_view digits)
{
    if (digits.size() < range.width || (digits.size() > range.width && digits.front() == '0')) return false;
    const auto number = parse_number<std::uint64_t>(digits);
    return number && *number >= range.first && *number <= range.last;
}

// Adds the lengths that are reached from `from` with a number of the range.
void match_range(const Range& range, std::string_view node, std::size_t from, Lengths& reached)
{
    const std::size_t end = std::min(node.size(), from + most_digits);
    for (std::size_t to = from; to < end && is_digit(node[to]); ++to)
        if (contains(range, node.substr(from, to + 1 - from))) reached.set(to + 1);
}

// What is between two brackets. False if it is no list of ranges.
bool match_ranges(std::string_view ranges, std::string_view node, Lengths& lengths)
{
    Lengths reached;
    for (;;) {
        const std::size_t comma = ranges.find(',');
        const auto range = parse_range(ranges.substr(0, comma));
        if (!range) return false;
        for (std::size_t from = 0; from < node.size() && lengths.any(); ++from)
            if (lengths.test(from)) match_range(*range, node, from, reached);
        if (comma == std::string_view::npos) break;
        ranges.remove_prefix(comma + 1);
    }
    lengths = reached;
    return true;
}

void match_character(char c, std::string_view node, Lengths& lengths)
{
    Lengths reached;
    for (std::size_t from = 0; from < node.size() && lengths.any(); ++from)
        if (lengths.test(from) && node[from] == c) reached.set(from + 1);
    lengths = reached;
}

// One name of the list, brackets and all. False if it cannot be read.
bool match_name(std::string_view name, std::string_view node, Lengths& lengths)
{
    for (std::size_t at = 0; at < name.size(); ++at) {
        const char c = name[at];
        if (c == ']' || c <= ' ' || c > '~') return false;
        if (c != '[') {
            match_character(c, node, lengths);
            continue;
        }
        const std::size_t end = name.find(']', at);
        if (end == std::string_view::npos || !match_ranges(name.substr(at + 1, end - at - 1), node, lengths)) return false;
        at = end;
    }
    return !name.empty();
}

// Where the name at the head of the list ends: at the first comma outside brackets.
std::size_t end_of_name(std::string_view list)
{
    bool inside = false;
    for (std::size_t at = 0; at < list.size(); ++at) {
        if (list[at] == '[') inside = true;
        if (list[at] == ']') inside = false;
        if (list[at] == ',' && !inside) return at;
    }
    return list.size();
}

}  // namespace

Listed find_node(std::string_view list, std::string_view node)
{
    if (node.empty() || node.size() >= helper_wire::longest_node) return Listed::no;
    Listed found = Listed::no;
    while (!list.empty()) {
        const std::size_t end = end_of_name(list);
        Lengths lengths;
        lengths.set(0);
        if (!match_name(list.substr(0, end), node, lengths)) return Listed::unreadable;
        if (lengths.test(node.size())) found = Listed::yes;
        if (end + 1 == list.size()) return Listed::unreadable;  // nothing after the comma
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return found;
}

}  // namespace slurm_adopt::rest
