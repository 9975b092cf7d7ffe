// SPDX-License-Identifier: GPL-2.0-or-later
// A slurmstepd that goes wrong when it is asked to adopt: every outcome, strict and not.
#include <algorithm>

#include "decision_of.h"
#include "node_test.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

const std::string once_more = "info a job ended while the login was being adopted; looking once more";

struct Case {
    const char* what;
    StepdScript script;
    std::vector<std::string> options;
    std::string warning;  // without "warning job 7: "
    std::string reason;
    bool looks_once_more = false;
    Layout layout = Layout::v1;
};

void run(const std::vector<Case>& cases)
{
    for (const Case& each : cases)
        for (const bool strict : {true, false}) {
            if (each.script.fault == Fault::hang && !strict && &each != &cases.front()) continue;  // a second each
            Node node;
            FakeStepd& stepd = node.start(7, each.script, each.layout);
            std::vector<std::string> options = each.options;
            // Only who is silent needs the whole of it.
            const bool silent = each.script.fault == Fault::hang;
            options.insert(options.end(), {silent ? "timeout=1" : "timeout=6", "log_level=verbose", strict ? "strict=1" : "strict=0"});
            const Outcome outcome = log_in({.options = options});
            std::vector<std::string> log = {"warning job 7: " + each.warning};
            if (each.looks_once_more) log.insert(log.end(), {once_more, "warning job 7: " + each.warning});
            Expected expected;
            if (strict) {
                log.push_back(decided("notice deny " + each.reason, 1, 7, "-", "closed"));
                expected = {"perm_denied", log, {adopt_failure_message(each.reason)}};
            } else {
                log.push_back(decided("warning allow " + each.reason, 1, 7, "-", "open"));
                expected = {"success", log};
            }
            expect(std::string(each.what) + (strict ? ", strict" : ""), outcome, expected);
            EXPECT_EQ(stepd.seen().adopt, each.looks_once_more ? 2 : 1) << each.what;
            report_fault({"slurmstepd", std::string("asked to adopt: ") + each.what + (strict ? "" : ", not strict"), decision_of(outcome),
                          silent ? 1300.0 : 2000.0},
                         outcome.milliseconds);
        }
}

TEST(AdoptFaults, Refused)
{
    run({
        {"answers -1", {.adopt_result = -1, .moves = false}, {}, "slurmstepd answered -1", "adopt_refused", true},
        {"answers 1", {.adopt_result = 1, .moves = false}, {}, "slurmstepd answered 1", "adopt_refused", true},
        {"answers garbage",
         {.adopt_result = 0x41414141, .moves = false},
         {},
         "slurmstepd answered 1094795585",
         "adopt_refused",
         true},
        {"answers no, although it has moved it", {.adopt_result = -1}, {}, "slurmstepd answered -1", "adopt_refused", true},
    });
}

TEST(AdoptFaults, Closed)
{
    run({
        {"closes without an answer",
         {.moves = false, .fault = Fault::close, .at = Step::adopt},
         {},
         "the peer closed the connection",
         "adopt_step_ended",
         true},
        {"closes in the answer",
         {.moves = false, .fault = Fault::half_then_close, .at = Step::adopt},
         {},
         "the peer closed the connection",
         "adopt_step_ended",
         true},
        {"closes without an answer, but has moved it, no namespaces wanted",
         {.fault = Fault::close, .at = Step::adopt},
         {"join_container=0"},
         "the peer closed the connection",
         "adopt_step_ended",
         true},
        {"closes without the step's state, no namespaces wanted",
         {.fault = Fault::close, .at = Step::adopted_state},
         {"join_container=0"},
         "the peer closed the connection",
         "adopt_step_ended",
         true},
    });
}

TEST(AdoptFaults, DoneButNotInside)
{
    double longest = 0;
    for (const Layout layout : {Layout::v1, Layout::v2, Layout::v2_sluid}) {
        Node node;
        FakeStepd& stepd = node.start(7, {.moves = false}, layout);
        const std::string directory = stepd.cgroup().substr(stepd.cgroup().find('/'));
        const std::string step = directory.substr(0, directory.rfind("/step_extern") + 12);
        const Outcome outcome = log_in({.options = {"strict"}});
        longest = std::max(longest, outcome.milliseconds);
        expect("strict", outcome,
               {"perm_denied",
                {"warning job 7: slurmstepd said done, but /proc shows the process outside " + step,
                 decided("notice deny adopt_not_inside", 1, 7, "-", "closed")},
                {adopt_failure_message("adopt_not_inside")}});
    }
    report_fault({"slurmstepd", "asked to adopt: answers 0, not moved", "deny adopt_not_inside", 300}, longest);
}

TEST(AdoptFaults, HangingBeforeAndAfterTheMove)
{
    const StepdScript hangs_before = {.moves = false, .fault = Fault::hang, .at = Step::adopt};
    const StepdScript hangs_after = {.fault = Fault::hang, .at = Step::adopt};
    run({
        {"silent, not moved", hangs_before, {}, "no answer in time", "adopt_timeout"},
        {"silent, not moved, no namespaces wanted", hangs_before, {"join_container=0"}, "no answer in time", "adopt_timeout"},
        // Moved, but whether the job has a namespace is not known any more.
        {"silent, but moved", hangs_after, {}, "no answer in time; adopted all the same, by the kernel's view", "adopt_timeout"},
        {"silent at the step's state", {.fault = Fault::hang, .at = Step::adopted_state}, {}, "no answer in time; adopted all the same, by the kernel's view", "adopt_timeout"},
        {"silent at the X11 display",
         {.fault = Fault::hang, .at = Step::x11},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"silent at XAUTHORITY",
         {.display = 1, .xauthority = "/tmp/x", .fault = Fault::hang, .at = Step::xauthority},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"silent at the namespaces",
         {.fault = Fault::hang, .at = Step::namespaces},
         {},
         "namespaces: no answer in time",
         "namespace_join"},
        {"silent at the descriptor",
         {.namespaces = {{0, 0}}, .namespace_count = 1, .fault = Fault::hang, .at = Step::descriptor},
         {},
         "namespaces: no answer in time",
         "namespace_join"},
    });
}

TEST(AdoptFaults, ClosedAfterTheAdoption)
{
    run({
        {"closes at the X11 display",
         {.fault = Fault::close, .at = Step::x11},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"closes in the X11 display",
         {.fault = Fault::half_then_close, .at = Step::x11},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"closes at the namespaces",
         {.fault = Fault::close, .at = Step::namespaces},
         {},
         "namespaces: the peer closed the connection",
         "namespace_join"},
    });
}

TEST(AdoptFaults, WhatIsNotNeededIsNoFailure)
{
    struct Harmless {
        const char* what;
        StepdScript script;
        std::vector<std::string> options;
        std::string warning;
    };
    const std::vector<Harmless> cases = {
        {"silent, but moved, no namespaces wanted",
         {.fault = Fault::hang, .at = Step::adopt},
         {"join_container=0"},
         "no answer in time; adopted all the same, by the kernel's view"},
        {"silent at the step's state, no namespaces wanted",
         {.fault = Fault::hang, .at = Step::adopted_state},
         {"join_container=0"},
         "no answer in time; adopted all the same, by the kernel's view"},
        {"silent at the X11 display, no namespaces wanted", {.fault = Fault::hang, .at = Step::x11}, {"join_container=0"}, "X11: no answer in time"},
        {"closes in the X11 display, no namespaces wanted",
         {.fault = Fault::half_then_close, .at = Step::x11_length},
         {"join_container=0"},
         "X11: the peer closed the connection"},
        {"closes at XAUTHORITY, no namespaces wanted",
         {.display = 1, .xauthority = "/tmp/x", .fault = Fault::close, .at = Step::xauthority},
         {"join_container=0"},
         "X11: the peer closed the connection"},
        {"would be silent at X11, not asked", {.fault = Fault::hang, .at = Step::x11}, {"disable_x11=1"}, ""},
        {"would be silent at the namespaces, not asked", {.fault = Fault::hang, .at = Step::namespaces}, {"join_container=0"}, ""},
        {"moves after 0.3 s", {.before_adopting = 300ms}, {}, ""},
    };
    for (const Harmless& each : cases) {
        Node node;
        FakeStepd& stepd = node.start(7, each.script);
        std::vector<std::string> options = each.options;
        options.insert(options.end(), {"strict", "timeout=1"});
        std::vector<std::string> log;
        if (!each.warning.empty()) log.push_back("warning job 7: " + each.warning);
        log.push_back(decided("info adopt one_job", 1, 7, "yes", "closed"));
        const Outcome outcome = log_in({.options = options});
        expect(each.what, outcome, {"success", log, {}, {"SLURM_JOB_ID=7"}});
        EXPECT_TRUE(is_in(outcome, stepd.cgroup())) << each.what;
        report_fault({"slurmstepd", std::string("asked to adopt: ") + each.what, "adopt one_job", 1300}, outcome.milliseconds);
    }
}

TEST(AdoptFaults, WithoutCgroupsATimeoutIsNoAdoption)
{
    Node node;
    (void)node.start(7, {.fault = Fault::hang, .at = Step::adopt}, Layout::no_cgroup);
    const Outcome outcome = log_in({.options = {"timeout=1", "join_container=0", "action_adopt_failure=deny"}});
    expect("nothing to read back", outcome,
           {"perm_denied",
            {"warning job 7: no answer in time", decided("notice deny adopt_timeout", 1, 7, "-", "open")},
            {adopt_failure_message("adopt_timeout")}});
    report_fault({"slurmstepd", "asked to adopt: silent, and no cgroup to read it back from", "deny adopt_timeout", 1300},
                 outcome.milliseconds);
}

TEST(AdoptFaults, WhatActionAdoptFailureSays)
{
    Node node;
    FakeStepd& stepd = node.start(7, {.adopt_result = -1, .moves = false});
    EXPECT_EQ(log_in({.options = {"action_adopt_failure=deny"}}).code, "perm_denied");
    EXPECT_EQ(log_in({.options = {"action_adopt_failure=allow"}}).code, "success");
    EXPECT_EQ(log_in({.options = {"action_adopt_failure=allow", "strict"}}).code, "perm_denied");
    const Outcome allowed = log_in({});
    EXPECT_EQ(allowed.code, "success");
    EXPECT_TRUE(allowed.environment.empty()) << "only the adopted get an environment";
    EXPECT_FALSE(is_in(allowed, stepd.cgroup()));
}

}  // namespace
}  // namespace slurm_adopt::test
