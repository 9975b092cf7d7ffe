// SPDX-License-Identifier: GPL-2.0-or-later
// The text of a PAM service file cut into records and words, as libpam does (Linux-PAM 1.5): what is below meaning.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt::pam_stack {

// A line, or several that end in a backslash; no comment, not blank.
struct Record {
    unsigned first_line = 0;  // from 1
    unsigned last_line = 0;
    std::string text;  // without comment, continuations joined by a space
};

// '#' begins a comment wherever it stands, and ends the record. Blank lines and lines of comment between continued
// lines are passed over. ErrorCode::malformed, "NAME:LINE: ...": the file ends in a continued line; libpam refuses the
// whole file then.
[[nodiscard]] Result<std::vector<Record>> cut_into_records(std::string_view text, const std::string& name);

// The words of a record: separated by blanks, or "[...]" as one, brackets kept; within it "\]" is a bracket that does
// not end it. ErrorCode::malformed: a '[' that is never closed.
[[nodiscard]] Result<std::vector<std::string>> cut_into_words(std::string_view text);

// A module's argument as the module gets it: without brackets around, "\]" as "]".
[[nodiscard]] std::string unbracketed(std::string_view word);
// And back: the word that gives that argument, or an error where no word does.
[[nodiscard]] Result<std::string> as_word(std::string_view argument);

}  // namespace slurm_adopt::pam_stack
