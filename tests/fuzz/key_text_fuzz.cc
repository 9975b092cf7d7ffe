// SPDX-License-Identifier: GPL-2.0-or-later
// A key that is written down as Base64.
#include <algorithm>
#include <string>

#include "input.h"
#include "jwt/base64.h"
#include "require.h"
#include "support/signed_token.h"

using namespace slurm_adopt;
using namespace slurm_adopt::token_test;
using fuzz::require;

namespace {

std::string bytes_of(const jwt::Secret& key)
{
    return {key.bytes().begin(), key.bytes().end()};
}

bool has_any(std::string_view text, std::string_view characters)
{
    return text.find_first_of(characters) != std::string_view::npos;
}

// What there is to decode, in the URL's alphabet.
std::string without_form(std::string text)
{
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == '='; });
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

void check_written(std::string_view key)
{
    std::string in_lines = base64(key);
    for (std::size_t at = 64; at < in_lines.size(); at += 65) in_lines.insert(at, 1, '\n');
    for (const std::string& text : {base64(key), base64url(key), in_lines + "\r\n"}) {
        const auto decoded = jwt::decode_key_text(secret_of(text));
        require(decoded.ok() && bytes_of(decoded.value()) == key, "a key comes back as it was");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(fuzz::Input(data, size).rest());
    if (text.empty()) return 0;  // no Secret is empty
    check_written(text);
    const auto key = jwt::decode_key_text(secret_of(text));
    if (!key) {
        require(!key.error().context.empty(), "an error says what it is");
        return 0;
    }
    require(base64url(bytes_of(key.value())) == without_form(text), "a key has one text but for its form");
    require(!(has_any(text, "+/") && has_any(text, "-_")), "a key is in one alphabet");
    const std::size_t padding = text.find('=');
    require(padding == std::string::npos || text.find_first_not_of("=\r\n", padding) == std::string::npos, "padding is at the end");
    require(std::count(text.begin(), text.end(), '=') <= 2, "padding is two characters at most");
    return 0;
}
