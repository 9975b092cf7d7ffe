// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/controller_jobs.h"

namespace slurm_adopt::tool {

std::string_view state_word(const helper_wire::ControllerJob& job)
{
    switch (static_cast<helper_wire::JobState>(job.state)) {
    case helper_wire::JobState::starting: return "starting";
    case helper_wire::JobState::running: return "running";
    case helper_wire::JobState::ending: return "ending";
    }
    return "in no state that is known";
}

}  // namespace slurm_adopt::tool
