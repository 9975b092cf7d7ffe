// SPDX-License-Identifier: GPL-2.0-or-later
// What explain found, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "account_lines.h"
#include "dry_run.h"
#include "output.h"
#include "slurm_adopt/options.h"
#include "survey/survey.h"

namespace slurm_adopt::tool {

struct OptionInForce {
    std::string name;
    std::string value;
    bool from_line = false;  // else the default
};

struct Explanation {
    std::string user;
    std::optional<uid_t> uid;
    std::string service;
    std::optional<FoundStack> stack;  // none: the service has no stack here
    std::string stack_note;           // what is odd about it; empty: nothing
    std::vector<OptionInForce> options;
    std::vector<std::string> option_errors;
    std::string source_note;  // the connection, and where it comes from
    bool has_connection = false;
    std::optional<Survey> others;  // the whole node's, where it was to be had
    DryRun run;
    bool let_in = false;
    bool uncertain = false;  // root's answer may be another
    std::string outcome;     // one sentence
};

// In the table's order: what the arguments say, and the defaults. Of wrong arguments see ParsedOptions::errors.
[[nodiscard]] std::vector<OptionInForce> options_in_force(const std::vector<std::string>& arguments);

// What a decision means for the login: one sentence.
[[nodiscard]] std::string outcome_of(const DryRun& run);

[[nodiscard]] std::vector<std::string> text_of(const Explanation& explanation, const Output& output);
[[nodiscard]] nlohmann::json json_of(const Explanation& explanation);

}  // namespace slurm_adopt::tool
