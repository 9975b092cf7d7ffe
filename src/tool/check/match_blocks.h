// SPDX-License-Identifier: GPL-2.0-or-later
// The Match blocks of sshd_config(5): what is set in them for some connections only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct MatchBlock {
    std::string place;     // "FILE:LINE"
    std::string criteria;  // as written, "User alice Address 10.0.0.0/8"
    std::map<std::string, std::string> settings;  // keywords in lower case; of one that is given twice the first counts
};

// With the files that are included (relative names: beside `file`), also within blocks.
[[nodiscard]] Result<std::vector<MatchBlock>> read_match_blocks(const std::string& file);

// A connection that the criteria fit, as `sshd -T -C` takes it: "user=alice,host=localhost,addr=10.0.0.0,...". Empty where
// none can be told from the text: patterns, groups without a member.
[[nodiscard]] std::string connection_that_fits(const std::string& criteria);

}  // namespace slurm_adopt::tool
