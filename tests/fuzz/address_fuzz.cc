// SPDX-License-Identifier: GPL-2.0-or-later
// PAM_RHOST: a numeric address, or whatever the client's name server says.
#include "input.h"
#include "require.h"
#include "slurm_adopt/connection.h"

using namespace slurm_adopt;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto address = parse_address(fuzz::Input(data, size).rest());
    if (!address) return 0;
    const std::string text = to_text(*address);
    require(text.find_first_not_of("0123456789abcdef:.") == std::string::npos, "an address is digits, dots and colons");
    require(parse_address(text) == address, "written down it is the same");
    if (!address->is_v6) require(parse_address("::ffff:" + text) == address, "an IPv4 address in IPv6's clothes is one");
    return 0;
}
