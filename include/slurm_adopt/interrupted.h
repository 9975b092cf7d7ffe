// SPDX-License-Identifier: GPL-2.0-or-later
// A call that a signal has interrupted is made again (errno EINTR), but not for ever: one that is always interrupted would
// carry us past every deadline.
#pragma once

#include <cerrno>

namespace slurm_adopt {

// In a row. A host that gets more signals than that has no time for anything else.
inline constexpr int most_interruptions = 1000;

// `call` answers a negative number and sets errno where it fails.
template <class Call>
[[nodiscard]] auto uninterrupted(Call call)
{
    auto result = call();
    for (int i = 0; result < 0 && errno == EINTR && i < most_interruptions; ++i) result = call();
    return result;
}

}  // namespace slurm_adopt
