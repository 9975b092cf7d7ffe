// SPDX-License-Identifier: GPL-2.0-or-later
// The lines that slurm-adopt has put into a PAM service file: each between two comments of its own.
//
//   # Begin slurm-adopt (remove with "slurm-adopt disable"): account required pam_slurm_adopt.so strict
//   account required pam_slurm_adopt.so strict
//   # End slurm-adopt
//
// The first comment repeats the line: so an edit shows, and the line can be put back by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct MarkedLine {
    unsigned first_line = 0;  // of the comment before, from 1
    std::string said;         // the line that the comment repeats
    bool intact = false;      // that line and nothing else stands between the comments
};

struct Unmarked {
    std::string text;  // without the marked lines, all other bytes as they were
    std::vector<MarkedLine> removed;
};

// ErrorCode::malformed with "NAME:LINE: ...": a comment of the pair is missing, so nobody can tell what is ours.
[[nodiscard]] Result<Unmarked> without_marked_lines(std::string_view text, const std::string& name);

// The text with `line` and its comments after the line number `after` (0: before the first). A text without a newline
// at its end keeps none, so that without_marked_lines() gives back the same bytes.
[[nodiscard]] std::string with_marked_line(std::string_view text, unsigned after, std::string_view line);

}  // namespace slurm_adopt::tool
