// SPDX-License-Identifier: GPL-2.0-or-later
// What was asked is not there any more, or somebody else is, when it is to adopt.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "fault_logins.h"
#include "node_test.h"
#include "stepd_fault.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

// By all evidence another job of alice's, silent at first: the probe waits for it, and there is time between probe and
// adoption. When it is looked at once more it turns out to be bob's.
const StepdScript holds_back = {.uid = bob, .fault = Fault::hang, .at = Step::version, .faulty_connections = 1};

bool within_a_second(const std::atomic<int>& number)
{
    for (int i = 0; i < 1000 && number == 0; ++i) (void)::poll(nullptr, 0, 1);
    return number != 0;
}

class BetweenProbeAndAdoption : public testing::TestWithParam<Layout> {
protected:
    // A login of alice's; `meanwhile` happens once job 7 has said whose it is.
    template <class Meanwhile>
    Outcome log_in_while(Node& node, const FakeStepd& asked, Meanwhile meanwhile, bool strict)
    {
        node.stepds.emplace_back(node.tree, node.spool.path(), 99U, holds_back, GetParam(), alice);
        Outcome outcome;
        std::thread login([&] {
            outcome = log_in({.options = {"timeout=1", "nodename=" + node.tree.node(), strict ? "strict=1" : "strict=0"}});
        });
        EXPECT_TRUE(within_a_second(asked.seen().uid));
        EXPECT_EQ(asked.seen().adopt, 0) << "too late";
        meanwhile();  // here, because a slurmstepd of the tests ends with the thread that made it
        login.join();
        EXPECT_EQ(outcome.complaints, "");
        return outcome;
    }
    [[nodiscard]] StepdScript script() const { return of_release({}, GetParam()); }
    [[nodiscard]] std::string with_layout(const std::string& fault) const
    {
        return fault + (GetParam() == Layout::v1 ? ", cgroup v1" : GetParam() == Layout::v2 ? ", cgroup v2" : ", 26.05");
    }
};

TEST_P(BetweenProbeAndAdoption, TheStepdIsKilled)
{
    double longest = 0;
    for (const bool strict : {true, false}) {
        Node node;
        const FakeStepd& asked = node.start(7, script(), GetParam());
        const Outcome outcome = log_in_while(
            node, asked, [&] { (void)::kill(asked.pid(), SIGKILL); }, strict);
        EXPECT_EQ(decision_of(outcome), "deny no_jobs");
        longest = std::max(longest, outcome.milliseconds);
    }
    report_fault(
        {"slurmstepd", with_layout("stepd killed between probe and adoption"), "deny no_jobs, also without strict", 1300},
        longest);
}

// The id of an ended job comes again after long (MaxJobId), or at once where a job is requeued.
TEST_P(BetweenProbeAndAdoption, AnotherUsersJobTakesItsPlace)
{
    for (const bool ends : {true, false}) {
        Node node;
        std::optional<FakeStepd> asked;
        asked.emplace(node.tree, node.spool.path(), 7, script(), GetParam(), alice);
        const std::string alices = asked->cgroup();
        std::optional<FakeStepd> bobs;
        StepdScript script_of_bob = script();
        script_of_bob.uid = bob;
        const Outcome outcome = log_in_while(
            node, *asked,
            [&] {
                if (ends) (void)::kill(asked->pid(), SIGKILL);
                // At the very path: what is there is unlinked first, as slurmd does.
                bobs.emplace(node.tree, node.spool.path(), 7, script_of_bob, GetParam(), bob);
            },
            true);
        EXPECT_EQ(bobs->seen().adopt, 0) << "a login of alice's in bob's job";
        EXPECT_EQ(asked->seen().adopt, ends ? 0 : 1);
        // The connection is the one on which alice's said whose it is: as long as that lives it is the one that adopts.
        EXPECT_EQ(decision_of(outcome), ends ? "deny no_jobs" : "adopt one_job");
        if (GetParam() == Layout::v1) {  // on v2 a job's directory has no name of the user's
            EXPECT_FALSE(is_in(outcome, bobs->cgroup()));
            EXPECT_EQ(is_in(outcome, alices), !ends);
        }
        report_fault({"slurmstepd",
                      with_layout(ends ? "job ended between probe and adoption, its socket now another user's job's"
                                       : "socket replaced by another user's job's between probe and adoption"),
                      ends ? "deny no_jobs; never in the other's job" : "adopt one_job, the one asked", 1300},
                     outcome.milliseconds);
    }
}

INSTANTIATE_TEST_SUITE_P(, BetweenProbeAndAdoption, testing::ValuesIn(every_layout), [](const auto& test) {
    return std::string(test.param == Layout::v1 ? "v1" : test.param == Layout::v2 ? "v2" : "v2_sluid");
});

}  // namespace
}  // namespace slurm_adopt::test
