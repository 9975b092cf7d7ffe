// SPDX-License-Identifier: GPL-2.0-or-later
// System calls that do not exist: a watched program says with them where the module's work begins and ends.
#pragma once

namespace slurm_adopt::test {

inline constexpr long mark_begin = 500'001;
inline constexpr long mark_end = 500'002;

}  // namespace slurm_adopt::test
