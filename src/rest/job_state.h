// SPDX-License-Identifier: GPL-2.0-or-later
// What Slurm's words for a job's state mean for a login: squeue(1), "JOB STATE CODES"; the same in all releases, though the
// older ones say one of several words only.
#pragma once

#include <optional>
#include <string_view>

#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::rest {

class StateWords {
public:
    void add(std::string_view word);
    void set_reason(std::string_view reason) { prolog_ = reason == "Prolog"; }

    // None: the job has not got its nodes yet, or has given them back.
    [[nodiscard]] std::optional<helper_wire::JobState> state() const;

private:
    bool ending_ = false;
    bool starting_ = false;
    bool running_ = false;
    bool prolog_ = false;
};

}  // namespace slurm_adopt::rest
