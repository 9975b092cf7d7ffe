// SPDX-License-Identifier: GPL-2.0-or-later
// What enable and disable make of a PAM service file: text in, text out. Nothing is written here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pam_stack/stack.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

inline constexpr const char* module_file_name = "pam_slurm_adopt.so";

struct EnableRequest {
    std::string service;
    // As they are written into the lines. None: as in the lines that are there, else pam_slurm_adopt.so and `strict`.
    std::optional<std::string> module;
    std::optional<std::vector<std::string>> options;
};

struct Edit {
    std::string text;
    std::string module;  // of both lines
    std::vector<std::string> options;
};

// `text` with the two lines, each in its place (placement.h), whether it had them before or not. Refused, with what to do
// and nothing changed: options that the module would refuse, or whose `service` leaves the service out; a file that loads
// the module by a line that is not ours; marked lines that were edited; a stack that is not understood.
[[nodiscard]] Result<Edit> enabled(const pam_stack::Directories& directories, const std::string& file,
                                   const std::string& text, const EnableRequest& request);

// `text` without the marked lines. Refused where they were edited, unless `force`.
[[nodiscard]] Result<std::string> disabled(const std::string& file, const std::string& text, bool force);

}  // namespace slurm_adopt::tool
