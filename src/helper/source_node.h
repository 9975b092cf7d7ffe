// SPDX-License-Identifier: GPL-2.0-or-later
// Whether an address belongs to a node, found out without a packet to that address.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/connection.h"

namespace slurm_adopt::helper {

enum class Belongs { no, yes, not_known_in_time };

// Whether `address` is one of `hosts` (numeric addresses and names). Numeric ones decide at once; names are looked
// up in the text of a hosts file (hosts(5)), and what is not in there by the resolver, many at a time, for at most `patience`.
// A look-up that hangs is left behind in its thread: the caller is a process that ends soon.
[[nodiscard]] Belongs belongs_to(const Address& address, const std::vector<std::string>& hosts, std::string_view hosts_file,
                                 std::chrono::milliseconds patience);

}  // namespace slurm_adopt::helper
