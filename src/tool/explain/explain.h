// SPDX-License-Identifier: GPL-2.0-or-later
// All that the explain command finds out, without the command line.
#pragma once

#include <optional>
#include <string>

#include "report.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/result.h"
#include "source.h"

namespace slurm_adopt::tool {

struct ExplainRequest {
    std::string user;
    std::string service;
    std::string stack;    // a file instead of the service's; empty: the service's
    Source source;        // of the login
    bool is_root = true;  // whoever asks
    Roots roots{};
    pam_stack::Directories directories{};
};

// An error where the PAM stack cannot be read: then nobody knows which options are in force.
[[nodiscard]] Result<Explanation> explain(const ExplainRequest& request);

}  // namespace slurm_adopt::tool
