// SPDX-License-Identifier: GPL-2.0-or-later
// What list found, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "processes.h"
#include "survey/survey.h"
#include "usage.h"

namespace slurm_adopt::tool {

struct ListedJob {
    ExternStep step;
    std::vector<Process> processes;  // adopted ones
    std::string processes_error;     // they could not be read; empty: they could
    Usage job;                       // of the whole job on this node
    Usage extern_step;               // of the logins in it
};

struct JobList {
    std::vector<ListedJob> jobs;
    std::vector<std::string> warnings;
};

[[nodiscard]] std::vector<std::string> text_of(const JobList& list);
[[nodiscard]] nlohmann::json json_of(const JobList& list);

}  // namespace slurm_adopt::tool
