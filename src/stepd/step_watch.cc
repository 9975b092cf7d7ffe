// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/step_watch.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_between = 200ms;
// slurmstepd listens some microseconds after it has made the file.
constexpr auto settling_time = 500ms;

}  // namespace

bool StepWatch::has_news(Deadline until)
{
    const auto found = discover(roots_, spool_dir_, nodename_, until);
    if (!found) return true;  // whoever looks says what is wrong
    std::vector<std::string> paths;
    paths.reserve(found.value().candidates.size());
    for (const Candidate& candidate : found.value().candidates) paths.push_back(candidate.path());
    std::sort(paths.begin(), paths.end());
    const bool has_come = !std::includes(seen_.begin(), seen_.end(), paths.begin(), paths.end());
    seen_ = std::move(paths);
    if (has_come) settled_ = Deadline::after(settling_time);
    return settled_ && !settled_->passed();
}

bool StepWatch::wait(Deadline until)
{
    while (!until.passed()) {
        (void)::poll(nullptr, 0, until.sooner(Deadline::after(pause_between)).poll_timeout());
        if (has_news(until)) return true;
    }
    return false;
}

}  // namespace slurm_adopt
