// SPDX-License-Identifier: GPL-2.0-or-later
// Small text helpers: full-match numbers, splitting, and making outside text safe to print.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slurm_adopt {

// The whole of `text` as a decimal number that fits in Number; nothing else (no sign, space or prefix).
template <std::unsigned_integral Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text)
{
    Number number{};
    const char* end = text.data() + text.size();
    const auto [stopped_at, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stopped_at != end || text.empty()) return std::nullopt;
    return number;
}

// The parts of `text` between separators, empty ones included: "a,,b" has three.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// ASCII only, whatever the locale.
[[nodiscard]] std::string lower_case(std::string_view text);

// A value for a `key=value` line: every byte that is not printable ASCII, and every space and '=', becomes
// '?', so that no name or host can forge a key, a line or a terminal escape. At most 256 bytes are kept; "-" if empty.
[[nodiscard]] std::string log_value(std::string_view text);

// True if there is no control character in `text`; bytes beyond ASCII are fine.
[[nodiscard]] bool is_printable(std::string_view text);

// Free text for a log line or a terminal: control characters and non-ASCII bytes become '?'; at most `most` bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 256);

}  // namespace slurm_adopt
