// SPDX-License-Identifier: GPL-2.0-or-later
// Logins of the fault tables: many at once, because most of them only wait, and what they came to in two words.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "decision_of.h"
#include "login.h"

namespace slurm_adopt::test {

// Each in a process of its own, all at the same time; the outcomes in the order of the logins.
[[nodiscard]] std::vector<Outcome> log_in_together(const std::vector<Login>& logins);

// The shortest of some logins that all have to come to `decision`: what the machine does beside us is no part of it. Where it
// is more than `enough`, of up to five times as many: a machine that is busy now need not be so in a moment.
[[nodiscard]] double best_of(int tries, const Login& login, const std::string& decision,
                             double enough = std::numeric_limits<double>::infinity());

// The user's lines and the user's environment name nobody else, no socket and no job that is not the user's.
void expect_nothing_of_others(const Outcome& outcome, const std::vector<std::string>& secrets);

}  // namespace slurm_adopt::test
