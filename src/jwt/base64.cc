// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/base64.h"

#include <cstdint>

namespace slurm_adopt::jwt {
namespace {

// The six bits of a character of the URL's alphabet, or none.
std::optional<std::uint32_t> sextet(char c)
{
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 52);
    if (c == '-') return 62;
    if (c == '_') return 63;
    return std::nullopt;
}

// Bits that come six at a time and go eight at a time.
class Bits {
public:
    // The next byte, as soon as there are eight bits.
    [[nodiscard]] std::optional<unsigned char> take(std::uint32_t six)
    {
        held_ = ((held_ << 6U) | six) & 0xfffU;
        count_ += 6;
        if (count_ < 8) return std::nullopt;
        count_ -= 8;
        return static_cast<unsigned char>((held_ >> count_) & 0xffU);
    }
    // Nothing is missing: less than six bits left over, and those zero.
    [[nodiscard]] bool complete() const { return count_ < 6 && (held_ & ((1U << count_) - 1U)) == 0; }

private:
    std::uint32_t held_ = 0;
    unsigned count_ = 0;
};

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text)
{
    std::string decoded;
    decoded.reserve(text.size() / 4 * 3 + 2);
    Bits bits;
    for (const char c : text) {
        const std::optional<std::uint32_t> six = sextet(c);
        if (!six) return std::nullopt;
        if (const auto byte = bits.take(*six)) decoded += static_cast<char>(*byte);
    }
    if (!bits.complete()) return std::nullopt;
    return decoded;
}

Result<Secret> decode_key_text(const Secret& text)
{
    const auto malformed = [] { return Error{ErrorCode::malformed, 0, "not Base64 (RFC 4648)"}; };
    Result<Secret> key = Secret::of_size(text.bytes().size());
    if (!key) return key;

    Bits bits;
    std::size_t size = 0;
    std::size_t characters = 0;  // those of the alphabet
    std::size_t padding = 0;
    bool of_url = false;
    bool of_mail = false;
    for (const unsigned char byte : text.bytes()) {
        char c = static_cast<char>(byte);
        if (c == '\n' || c == '\r') continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        if (c == '-' || c == '_') of_url = true;
        if (c == '+' || c == '/') {
            of_mail = true;
            c = c == '+' ? '-' : '_';
        }
        const std::optional<std::uint32_t> six = sextet(c);
        if (!six || padding > 0) return malformed();
        ++characters;
        if (const auto decoded = bits.take(*six)) key.value().bytes()[size++] = *decoded;
    }
    const bool padded_right = padding == 0 || (padding <= 2 && (characters + padding) % 4 == 0);
    if (size == 0 || (of_url && of_mail) || !padded_right || !bits.complete()) return malformed();
    key.value().shrink(size);
    return key;
}

}  // namespace slurm_adopt::jwt
