// SPDX-License-Identifier: GPL-2.0-or-later
// Other users' slurmstepds hang. What that adds to a login: the best of a few with them less the best of as many without,
// because the machine has other things to do too.
#include <gtest/gtest.h>

#include <algorithm>

#include "fault_logins.h"
#include "node_test.h"
#include "slurm_adopt/unix_stream.h"
#include "stepd_fault.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

constexpr int tries = 5;

struct OthersHung {
    std::string how;  // they hang
    StepdScript script;
    bool stopped = false;
    bool full_backlog = false;   // nobody says any more who listens there
    double refused_v2_ms = 300;  // added to a refusal where nobody tells whose they are
    const char* refused_v2 = "";
};

// Every login that gave up on a stopped one is left in its backlog.
void fill_backlog(const std::string& socket)
{
    while (connect_unix(socket).ok()) {
    }
}

class OthersHungStepds : public testing::TestWithParam<int> {
protected:
    // What `count` hung ones add to a login of alice's, who has a job or none. It should be no more than `bound`.
    static double added(const OthersHung& others, int count, Layout layout, bool has_job, double bound)
    {
        Node node;
        // Only who is refused waits for those that are alive.
        const bool waits = !has_job && layout != Layout::v1 && !others.stopped;
        const Login login{.options = {"strict", waits ? "timeout=1" : "timeout=10", "nodename=" + node.tree.node()}};
        const std::string decision = has_job ? "adopt one_job" : "deny no_jobs";
        if (has_job) (void)node.start(7, of_release({}, layout), layout);
        if (!has_job) (void)node.start(8, of_release({.uid = bob}, layout), layout);  // what every layout looks like
        const double without = best_of(tries, login, decision);
        StepdScript script = of_release(others.script, layout);
        script.uid = bob;
        if (others.full_backlog) script.backlog = 4;
        for (int i = 0; i < count; ++i) {
            const FakeStepd& stepd = node.start(100 + static_cast<unsigned>(i), script, layout);
            if (others.stopped) stepd.stop();
            if (others.full_backlog) fill_backlog(stepd.socket());
        }
        const int how_often = waits ? 1 : tries;
        return std::max(0.0, best_of(how_often, login, decision, without + bound) - without);
    }

    static std::string number_of(int count)
    {
        return count == 1 ? "another user's stepd " : std::to_string(count) + " stepds of others ";
    }

    static void run(const OthersHung& others, int count)
    {
        const std::string what = number_of(count) + others.how;
        const auto row = [&](const std::string& where, const char* expected, double bound, Layout layout, bool has_job) {
            report_fault({"slurmstepd", what + where + "; added, the best of a few", expected, bound},
                         added(others, count, layout, has_job, bound));
        };
        row(", cgroup v1", "adopt one_job", 20, Layout::v1, true);
        row(", cgroup v1, no job", "deny no_jobs", 20, Layout::v1, false);
        row(", cgroup v2", "adopt one_job", 300, Layout::v2, true);
        row(", 26.05", "adopt one_job", 300, Layout::v2_sluid, true);
        const char* expected = *others.refused_v2 == '\0' ? "deny no_jobs" : others.refused_v2;
        row(", cgroup v2, no job", expected, others.refused_v2_ms, Layout::v2, false);
    }
};

TEST_P(OthersHungStepds, Stopped)
{
    run({.how = "stopped (SIGSTOP)", .script = {}, .stopped = true}, GetParam());
}

TEST_P(OthersHungStepds, StoppedForLong)
{
    run({.how = "stopped, with full backlogs", .script = {}, .stopped = true, .full_backlog = true}, GetParam());
}

// Alive, and so perhaps only slow: nobody is refused before `timeout` while a job of the user's may be among them.
TEST_P(OthersHungStepds, AcceptAndNeverAnswer)
{
    run({.how = "alive and silent",
         .script = {.fault = Fault::hang, .at = Step::version},
         .refused_v2_ms = 1100,
         .refused_v2 = "deny no_jobs, not before timeout=1: one may be the user's"},
        GetParam());
}

INSTANTIATE_TEST_SUITE_P(, OthersHungStepds, testing::Values(1, 50), testing::PrintToStringParamName());

}  // namespace
}  // namespace slurm_adopt::test
