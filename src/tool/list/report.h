// SPDX-License-Identifier: GPL-2.0-or-later
// What list found, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "processes.h"
#include "slurm_adopt/helper_wire.h"
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

// What the controller knows, where it is asked.
struct ControllerList {
    std::string who;                               // slurmctld or slurmrestd
    std::vector<helper_wire::ControllerJob> jobs;  // on this node, by id
    std::string error;                             // it does not answer; empty: it does
};

struct JobList {
    std::vector<ListedJob> jobs;
    std::vector<std::string> warnings;
    std::optional<ControllerList> controller{};  // none: not asked
};

[[nodiscard]] std::vector<std::string> text_of(const JobList& list);
[[nodiscard]] nlohmann::json json_of(const JobList& list);

}  // namespace slurm_adopt::tool
