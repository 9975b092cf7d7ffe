// SPDX-License-Identifier: GPL-2.0-or-later
// Slurm's lists of nodes, as a job's "nodes" has them: "n[001-003,7],gpu1", "r[1-2]s[01-16]" (scontrol(1), hostlist).
#pragma once

#include <string_view>

namespace slurm_adopt::rest {

enum class Listed { no, yes, unreadable };

// Whether the list names this node. Numbers in brackets have at least as many digits as their range's first one. Takes
// time in proportion to the list, and no memory. An empty list names nobody.
[[nodiscard]] Listed find_node(std::string_view list, std::string_view node);

}  // namespace slurm_adopt::rest
