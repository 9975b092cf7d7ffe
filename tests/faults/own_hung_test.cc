// SPDX-License-Identifier: GPL-2.0-or-later
// The user's own slurmstepd hangs: a decision by `timeout`, and never a word that would keep it longer.
#include <gtest/gtest.h>

#include "stepd_fault.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

StepdScript hanging(Step step)
{
    return {.fault = Fault::hang, .at = step};
}

StepdFault fifty_stopped(const std::string& fault, Layout layout)
{
    return {.fault = fault,
            .scripts = {{}},
            .strict = "deny adopt_timeout",
            .open = "allow adopt_timeout",
            .bound_ms = 1000,
            .stopped = true,
            .count = 50,
            .layouts = {layout}};
}

TEST(OwnHungStepd, Stopped)
{
    run({
        // Ten seconds would be allowed.
        {.fault = "own stepd stopped (SIGSTOP)",
         .scripts = {{}},
         .strict = "deny adopt_timeout",
         .open = "allow adopt_timeout",
         .bound_ms = 700,
         .stopped = true,
         .options = {"timeout=10"}},
        fifty_stopped("50 own stepds stopped", Layout::v1),
        fifty_stopped("50 own stepds stopped, cgroup v2", Layout::v2),
        {.fault = "own stepd stopped, cgroup v2, an salloc: nobody can tell whose",
         .scripts = {{}},
         .strict = "deny no_jobs",
         .bound_ms = 700,
         .known_to_be_own = false,
         .stopped = true,
         .layouts = {Layout::v2, Layout::v2_sluid}},
    });
}

TEST(OwnHungStepd, AliveAndSilent)
{
    run({
        {"own stepd does not accept", {{.accepts = false}}, "deny adopt_timeout", "allow adopt_timeout"},
        {"own stepd accepts and never answers",
         {hanging(Step::version), hanging(Step::uid), hanging(Step::state)},
         "deny adopt_timeout",
         "allow adopt_timeout"},
        {"own stepd is silent at the adoption", {hanging(Step::adopt), hanging(Step::adopted_state)}, "deny adopt_timeout", "allow adopt_timeout"},
        {"own stepd is silent after the adoption",
         {hanging(Step::x11), hanging(Step::namespaces)},
         "deny namespace_join",
         "allow namespace_join"},
        {.fault = "own stepd silent, cgroup v2, an salloc: nobody can tell whose",
         .scripts = {hanging(Step::version)},
         .strict = "deny no_jobs",
         .known_to_be_own = false,
         .layouts = {Layout::v2, Layout::v2_sluid}},
    });
}

TEST(OwnHungStepd, OneBytePerSecond)
{
    const StepdScript drips = {.between_bytes = 1s};
    run({
        {"own stepd answers one byte per second", {drips}, "deny adopt_timeout", "allow adopt_timeout"},
        // Eight bytes until it has said whose it is, four for the adoption: and it is in time.
        {.fault = "own stepd answers one byte in 50 ms",
         .scripts = {{.between_bytes = 50ms}},
         .strict = "adopt one_job",
         .bound_ms = 2500,
         .options = {"timeout=10", "join_container=0", "disable_x11=1"}},
    });
}

}  // namespace
}  // namespace slurm_adopt::test
