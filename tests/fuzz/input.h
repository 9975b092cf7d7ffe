// SPDX-License-Identifier: GPL-2.0-or-later
// The fuzzer's bytes, taken off from the front. Where they end zeros follow: targets take zero for what is usual, so that
// the empty input is a case where all is well and every further byte is a departure from it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace slurm_adopt::fuzz {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

    [[nodiscard]] std::uint8_t byte()
    {
        if (left_.empty()) return 0;
        const auto first = static_cast<std::uint8_t>(left_.front());
        left_.remove_prefix(1);
        return first;
    }
    [[nodiscard]] std::uint16_t word()
    {
        const unsigned low = byte();
        return static_cast<std::uint16_t>(low | unsigned{byte()} << 8);
    }
    template <class T, std::size_t Size>
    [[nodiscard]] const T& pick(const T (&choices)[Size])
    {
        return choices[byte() % Size];
    }
    // Up to and without the next NUL, or all.
    [[nodiscard]] std::string_view text()
    {
        const std::string_view found = left_.substr(0, left_.find('\0'));
        left_.remove_prefix(std::min(found.size() + 1, left_.size()));
        return found;
    }
    [[nodiscard]] std::string_view rest()
    {
        const std::string_view all = left_;
        left_ = {};
        return all;
    }
    [[nodiscard]] bool empty() const { return left_.empty(); }

private:
    std::string_view left_;
};

inline std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span(text));
}

}  // namespace slurm_adopt::fuzz
