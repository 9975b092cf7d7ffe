// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/job_state.h"

#include <algorithm>
#include <array>

namespace slurm_adopt::rest {
namespace {

using helper_wire::JobState;

constexpr std::array<std::string_view, 2> ending_words{"COMPLETING", "STAGE_OUT"};
constexpr std::array<std::string_view, 2> starting_words{"CONFIGURING", "POWER_UP_NODE"};
// The last three are flags of a running job, which 22.05 names in the place of RUNNING.
constexpr std::array<std::string_view, 5> running_words{"RUNNING", "SUSPENDED", "RESIZING", "SIGNALING", "STOPPED"};

template <class Words>
bool has(const Words& words, std::string_view word)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

void StateWords::add(std::string_view word)
{
    ending_ = ending_ || has(ending_words, word);
    starting_ = starting_ || has(starting_words, word);
    running_ = running_ || has(running_words, word);
}

std::optional<JobState> StateWords::state() const
{
    if (ending_) return JobState::ending;
    if (starting_ || (running_ && prolog_)) return JobState::starting;
    if (running_) return JobState::running;
    return std::nullopt;
}

}  // namespace slurm_adopt::rest
