// SPDX-License-Identifier: GPL-2.0-or-later
#include "pem.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <utility>

namespace slurm_adopt::cred_ed25519 {
namespace {

constexpr std::string_view blank = " \t\r\n";
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct Armour {
    std::string_view label;
    std::string_view body;  // between the two marks, line ends and all
    std::string_view rest;
};

void skip(std::string_view& text, std::size_t count)
{
    text.remove_prefix(std::min(count, text.size()));
}

// The block that `text` begins with.
OrRefused<Armour> take_armour(std::string_view text)
{
    constexpr std::string_view begin = "-----BEGIN ";
    constexpr std::string_view dashes = "-----";
    if (!text.starts_with(begin)) return Refused{Refusal::no_pem, ""};
    skip(text, begin.size());
    const std::size_t label_end = text.substr(0, text.find('\n')).find(dashes);
    if (label_end == std::string_view::npos) return Refused{Refusal::no_pem, "a BEGIN line without its end"};
    const std::string_view label = text.substr(0, label_end);
    // It may go into the log.
    if (std::ranges::any_of(label, [](char c) { return c < ' ' || c > '~'; }))
        return Refused{Refusal::no_pem, "a BEGIN line that is not printable"};
    skip(text, label_end + dashes.size());
    const std::string end = "-----END " + std::string(label) + "-----";
    const std::size_t body_end = text.find(end);
    if (body_end == std::string_view::npos) return Refused{Refusal::no_pem, "a block without its END line"};
    const std::string_view body = text.substr(0, body_end);
    skip(text, body_end + end.size());
    return Armour{label, body, text};
}

// The characters of a body without its line ends. OpenSSL's decoder takes an '=' for an 'A' wherever it stands.
OrRefused<Secret> take_base64(std::string_view body)
{
    Result<Secret> packed = Secret::of_size(body.size() + 1);
    if (!packed) return Refused{Refusal::out_of_memory, ""};
    const auto room = packed.value().bytes();
    std::size_t length = 0;
    std::size_t padding = 0;
    for (const char c : body) {
        if (blank.find(c) != std::string_view::npos) continue;
        if (c == '=') {
            ++padding;
        } else if (padding != 0 || base64_alphabet.find(c) == std::string_view::npos) {
            return Refused{Refusal::malformed, "not Base64"};
        }
        room[length++] = static_cast<unsigned char>(c);
    }
    if (length == 0 || length % 4 != 0 || padding > 2) return Refused{Refusal::malformed, "Base64 cut short"};
    packed.value().shrink(length);
    return std::move(packed).value();
}

OrRefused<Secret> decode(std::string_view body)
{
    OrRefused<Secret> packed = take_base64(body);
    if (auto* refused = std::get_if<Refused>(&packed)) return std::move(*refused);
    const auto from = std::get<Secret>(packed).bytes();
    Result<Secret> der = Secret::of_size(from.size());
    if (!der) return Refused{Refusal::out_of_memory, ""};
    const int got = ::EVP_DecodeBlock(der.value().bytes().data(), from.data(), static_cast<int>(from.size()));
    if (got < 0) return Refused{Refusal::malformed, "not Base64"};
    const std::size_t padding = from[from.size() - 2] == '=' ? 2 : (from[from.size() - 1] == '=' ? 1 : 0);
    der.value().shrink(static_cast<std::size_t>(got) - padding);
    return std::move(der).value();
}

}  // namespace

OrRefused<std::vector<PemBlock>> read_pem(std::string_view text, std::size_t most)
{
    std::vector<PemBlock> blocks;
    for (;;) {
        skip(text, text.find_first_not_of(blank));
        if (text.empty()) break;
        OrRefused<Armour> taken = take_armour(text);
        if (auto* refused = std::get_if<Refused>(&taken)) return std::move(*refused);
        if (blocks.size() == most) return Refused{Refusal::too_many_blocks, ""};
        const Armour& armour = std::get<Armour>(taken);
        // What is no Base64 in full has another format (headers of an old encryption); the label says which.
        OrRefused<Secret> der = decode(armour.body);
        auto* refused = std::get_if<Refused>(&der);
        if (refused != nullptr && armour.body.find("Proc-Type:") != std::string_view::npos)
            return Refused{Refusal::passphrase, ""};
        if (refused != nullptr) return std::move(*refused);
        blocks.push_back(PemBlock{armour.label, std::move(std::get<Secret>(der))});
        text = armour.rest;
    }
    if (blocks.empty()) return Refused{Refusal::no_pem, ""};
    return blocks;
}

}  // namespace slurm_adopt::cred_ed25519
