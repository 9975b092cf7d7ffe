// SPDX-License-Identifier: GPL-2.0-or-later
// Messages between module and helper, in both directions: a byte that says which, then header and body.
#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "input.h"
#include "require.h"
#include "slurm_adopt/helper_wire.h"

using namespace slurm_adopt::helper_wire;
using slurm_adopt::fuzz::require;

namespace {

template <class Body>
void check_body(Verb verb, const Header& header, std::span<const std::byte> whole)
{
    const auto body = decode_body<Body>(whole.subspan(sizeof(Header)));
    if (!body) return;
    const auto again = encode(verb, body.value(), header.module_pid, header.log_level);
    require(std::equal(again.begin(), again.end(), whole.begin(), whole.end()), "encoded again it is the same bytes");
    if constexpr (std::is_same_v<Body, TimesReply>) {
        const auto& times = body.value();
        require(times.unused == 0 && times.count <= most_steps, "what is not used is zero");
        require(std::all_of(times.began_ns.begin() + times.count, times.began_ns.end(), [](std::int64_t ns) { return ns == 0; }), "what is not used is zero");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    slurm_adopt::fuzz::Input input(data, size);
    const Kind kind = input.byte() % 2 == 0 ? Kind::reply : Kind::request;
    const auto whole = slurm_adopt::fuzz::bytes_of(input.rest());
    const auto header = decode_header(whole.first(std::min(whole.size(), sizeof(Header))), kind);
    if (!header) return 0;
    require(header.value().magic == magic && header.value().version == version, "of this release");
    require(header.value().log_level <= highest_log_level && header.value().module_pid >= 0, "within bounds");
    // As the module does: a message that is for another verb or direction is decoded as neither.
    if (whole.size() - sizeof(Header) > 4096) return 0;
    if (header.value().verb == static_cast<std::uint32_t>(Verb::whois)) {
        kind == Kind::request ? check_body<WhoisRequest>(Verb::whois, header.value(), whole)
                              : check_body<WhoisReply>(Verb::whois, header.value(), whole);
        return 0;
    }
    require(header.value().verb == static_cast<std::uint32_t>(Verb::times), "one of two verbs");
    kind == Kind::request ? check_body<TimesRequest>(Verb::times, header.value(), whole)
                          : check_body<TimesReply>(Verb::times, header.value(), whole);
    return 0;
}
