// SPDX-License-Identifier: GPL-2.0-or-later
// A slurmstepd that breaks the conversation off, says nonsense, or answers too late.
#include <gtest/gtest.h>

#include "stepd_fault.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t highest = std::numeric_limits<std::int32_t>::max();

// The connection closed before the answer, in the middle of it, and by a crash.
std::vector<StepdScript> broken_off(Step step, const StepdScript& script = {})
{
    std::vector<StepdScript> scripts;
    for (const Fault fault : {Fault::close, Fault::half_then_close, Fault::die}) {
        scripts.push_back(script);
        scripts.back().fault = fault;
        scripts.back().at = step;
    }
    return scripts;
}

TEST(StepdConversation, BrokenOffAtEveryStep)
{
    const StepdScript display = {.display = 1, .xauthority = "/tmp/x"};
    const StepdScript offering = {.namespaces = {{0, 0}}, .namespace_count = 1};
    const auto adopt = broken_off(Step::adopt, {.moves = false});
    const auto state = broken_off(Step::adopted_state);
    run({
        {"its stepd closes or dies at the version", broken_off(Step::version), "deny no_jobs"},
        {"its stepd closes or dies at the uid", broken_off(Step::uid), "deny no_jobs"},
        {"its stepd closes or dies at the state of the step", broken_off(Step::state), "deny no_jobs"},
        {"its stepd closes at the adoption", {adopt[0], adopt[1]}, "deny adopt_step_ended", "allow adopt_step_ended"},
        {"its stepd dies at the adoption", {adopt[2]}, "deny no_jobs"},
        {"its stepd closes at the state of the step that has adopted", {state[0], state[1]}, "deny adopt_step_ended", "allow adopt_step_ended"},
        {"its stepd dies at the state of the step that has adopted", {state[2]}, "deny no_jobs"},
        {"its stepd closes or dies at the X11 display", broken_off(Step::x11, display), "deny namespace_join",
         "allow namespace_join"},
        {"its stepd closes or dies at the length of XAUTHORITY", broken_off(Step::x11_length, display),
         "deny namespace_join", "allow namespace_join"},
        {"its stepd closes or dies at XAUTHORITY", broken_off(Step::xauthority, display), "deny namespace_join",
         "allow namespace_join"},
        {"its stepd closes or dies at the namespaces", broken_off(Step::namespaces, offering), "deny namespace_join",
         "allow namespace_join"},
        {"its stepd closes or dies at the namespace's descriptor", broken_off(Step::descriptor, offering),
         "deny namespace_join", "allow namespace_join"},
    });
}

TEST(StepdConversation, StrangeVersions)
{
    run({
        {"version 0", {{.version = 0}}, "deny adopt_timeout", "allow adopt_timeout"},
        {"version negative", {{.version = -1}, {.version = lowest}}, "deny adopt_timeout", "allow adopt_timeout"},
        {"version of the far future", {{.version = 0x7fff}, {.version = highest}}, "adopt one_job"},
    });
}

// The kernel, or the batch directory, gives the job to alice; whose it is is what slurmstepd says.
TEST(StepdConversation, StrangeUids)
{
    run({{"uid garbage: root's, nobody's, -1, a sign bit",
          {{.uid = 0}, {.uid = 65534}, {.uid = 4294967295U}, {.uid = 0x80000000U | alice}},
          "deny no_jobs"}});
}

TEST(StepdConversation, AdoptionsThatAreNone)
{
    run({
        {"adopt answered 0, the process not moved", {{.moves = false}}, "deny adopt_not_inside", "allow adopt_not_inside"},
        {"adopt refused",
         {{.adopt_result = -1, .moves = false}, {.adopt_result = highest, .moves = false}},
         "deny adopt_refused",
         "allow adopt_refused"},
        {"adopt done by a step that has begun to end",
         {{.adopted_state = 3}, {.adopted_state = 4}, {.adopt_result = -1, .adopted_state = 3}, {.adopted_state = 3, .moves = false}},
         "deny adopt_step_ended"},
    });
}

TEST(StepdConversation, StepsThatAreNotRunning)
{
    run({
        {"a step that is ending, or in no state that we know",
         {{.state = 3}, {.state = 0}, {.state = 4}, {.state = -1}, {.state = highest}},
         "deny no_jobs",
         {},
         300},
        {"a step that is starting", {{.state = 1}}, "adopt one_job", {}, 300},
    });
}

TEST(StepdConversation, AdoptAnsweredAfterTheDeadline)
{
    run({{"adopt done and answered after the deadline",
          {{.before_adopting = 1500ms}},
          "deny adopt_timeout",
          "allow adopt_timeout"}});
}

}  // namespace
}  // namespace slurm_adopt::test
