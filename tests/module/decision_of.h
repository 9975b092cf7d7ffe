// SPDX-License-Identifier: GPL-2.0-or-later
// What a login came to, in the two words of the fault tables.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "login.h"

namespace slurm_adopt::test {

// "deny adopt_timeout": the decision and the reason of the last decision line; empty if there is none.
[[nodiscard]] inline std::string decision_of(const std::vector<std::string>& log)
{
    for (auto line = log.rbegin(); line != log.rend(); ++line) {
        std::string decision, reason;
        std::istringstream words(*line);
        for (std::string word; words >> word;) {
            if (word.starts_with("decision=")) decision = word.substr(9);
            if (word.starts_with("reason=")) reason = word.substr(7);
        }
        if (!decision.empty()) return decision + ' ' + reason;
    }
    return {};
}

[[nodiscard]] inline std::string decision_of(const Outcome& outcome)
{
    return decision_of(outcome.log);
}

}  // namespace slurm_adopt::test
