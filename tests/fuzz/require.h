// SPDX-License-Identifier: GPL-2.0-or-later
// What has to hold for every input. Not assert(): it holds in release builds too.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace slurm_adopt::fuzz {

// (std::source_location is not in clang 14.)
inline void require(bool holds, const char* what, const char* file = __builtin_FILE(), int line = __builtin_LINE())
{
    if (holds) return;
    (void)std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    std::abort();
}

}  // namespace slurm_adopt::fuzz
