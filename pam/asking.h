// SPDX-License-Identifier: GPL-2.0-or-later
// How the options of a PAM line ask the helpers; the tool asks in the same way.
#pragma once

#include <sys/types.h>

#include <optional>

#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/options.h"

namespace slurm_adopt {

[[nodiscard]] HelperSettings helper_settings_of(const Options& options);

// About the jobs on this node of one user, or of everybody. What is no Controller::rest is asked by RPC.
[[nodiscard]] ControllerQuestion controller_question(const Options& options, std::optional<uid_t> uid);

}  // namespace slurm_adopt
