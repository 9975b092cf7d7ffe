// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/signed_token.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace slurm_adopt::token_test {
namespace {

std::vector<unsigned> primes(std::size_t count)
{
    std::vector<unsigned> found;
    for (unsigned candidate = 2; found.size() < count; ++candidate)
        if (std::none_of(found.begin(), found.end(), [&](unsigned prime) { return candidate % prime == 0; }))
            found.push_back(candidate);
    return found;
}

// The first 32 bits of the fractional part of a root of each of the first primes (FIPS 180-4, 4.2.2 and 5.3.3).
template <std::size_t Count, class Root>
std::array<std::uint32_t, Count> fractions(Root root)
{
    const std::vector<unsigned> first = primes(Count);
    std::array<std::uint32_t, Count> found{};
    std::transform(first.begin(), first.end(), found.begin(), [root](unsigned prime) {
        const long double value = root(static_cast<long double>(prime));
        return static_cast<std::uint32_t>((value - std::floor(value)) * 4294967296.0L);
    });
    return found;
}

using State = std::array<std::uint32_t, 8>;

void absorb(State& state, std::string_view block)
{
    static const auto constants = fractions<64>([](long double prime) { return std::cbrt(prime); });
    std::array<std::uint32_t, 64> w{};
    for (std::size_t i = 0; i < 16; ++i)
        for (std::size_t j = 0; j < 4; ++j) w[i] = w[i] << 8U | static_cast<unsigned char>(block[4 * i + j]);
    for (std::size_t i = 16; i < 64; ++i) {
        const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3U;
        const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10U;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
                                 constants[i] + w[i];
        const std::uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const State worked{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state[i] += worked[i];
}

std::string encode(std::string_view bytes, std::string_view alphabet)
{
    std::string text;
    std::uint32_t held = 0;
    unsigned count = 0;
    for (const char c : bytes) {
        held = held << 8U | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) text += alphabet[held >> (count - 6) & 63U];
    }
    if (count > 0) text += alphabet[held << (6 - count) & 63U];
    return text;
}

}  // namespace

Digest sha256(std::string_view text)
{
    std::string padded(text);
    padded += '\x80';
    while (padded.size() % 64 != 56) padded += '\0';
    for (unsigned shift = 64; shift > 0; shift -= 8)
        padded += static_cast<char>(std::uint64_t{text.size()} * 8 >> (shift - 8) & 0xffU);
    static const State initial = fractions<8>([](long double prime) { return std::sqrt(prime); });
    State state = initial;
    for (std::size_t at = 0; at < padded.size(); at += 64) absorb(state, std::string_view(padded).substr(at, 64));
    Digest digest{};
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<unsigned char>(state[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view text)
{
    const auto as_text = [](const Digest& digest) { return std::string(digest.begin(), digest.end()); };
    std::string block = key.size() > 64 ? as_text(sha256(key)) : std::string(key);
    block.resize(64, '\0');
    std::string inner;
    std::string outer;
    for (const char c : block) {
        inner += static_cast<char>(c ^ 0x36);
        outer += static_cast<char>(c ^ 0x5c);
    }
    return as_text(sha256(outer + as_text(sha256(inner + std::string(text)))));
}

std::string base64url(std::string_view bytes)
{
    return encode(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

std::string base64(std::string_view bytes)
{
    std::string text = encode(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    while (text.size() % 4 != 0) text += '=';
    return text;
}

std::string signed_token(std::string_view header, std::string_view payload, std::string_view key)
{
    const std::string text = base64url(header) + "." + base64url(payload);
    return text + "." + base64url(hmac_sha256(key, text));
}

jwt::Secret secret_of(std::string_view bytes)
{
    auto secret = jwt::Secret::of_size(bytes.size());
    std::copy(bytes.begin(), bytes.end(), secret.value().bytes().begin());
    return std::move(secret).value();
}

}  // namespace slurm_adopt::token_test
