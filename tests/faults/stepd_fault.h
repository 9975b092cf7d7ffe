// SPDX-License-Identifier: GPL-2.0-or-later
// A table of slurmstepds that go wrong: each with strict and without, on each layout of cgroups, and one row for it.
#pragma once

#include <string>
#include <vector>

#include "fake_stepd.h"

namespace slurm_adopt::test {

inline const std::vector<Layout> every_layout = {Layout::v1, Layout::v2, Layout::v2_sluid};

struct StepdFault {
    std::string fault;
    std::vector<StepdScript> scripts;  // of alice's only job; all have to end the same
    std::string strict;                // "deny adopt_timeout"
    std::string open = {};             // without strict; empty: the same
    double bound_ms = 1300;            // with timeout=1
    bool known_to_be_own = true;       // on cgroup v2 by the batch directory
    bool stopped = false;              // SIGSTOP
    int count = 1;                     // so many jobs
    std::vector<std::string> options = {"timeout=1"};
    std::vector<Layout> layouts = every_layout;
};

void run(const std::vector<StepdFault>& faults);

// As the release to which the layout belongs.
[[nodiscard]] StepdScript of_release(StepdScript script, Layout layout);

}  // namespace slurm_adopt::test
