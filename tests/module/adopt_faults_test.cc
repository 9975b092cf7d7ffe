// SPDX-License-Identifier: GPL-2.0-or-later
// A slurmstepd that goes wrong when it is asked to adopt: every outcome, strict and not.
#include "node_test.h"

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
            EXPECT_LT(outcome.milliseconds, silent ? 2500 : 5000) << each.what;
            EXPECT_EQ(stepd.seen().adopt, each.looks_once_more ? 2 : 1) << each.what;
        }
}

TEST(AdoptFaults, Refused)
{
    run({
        {"-1", {.adopt_result = -1, .moves = false}, {}, "slurmstepd answered -1", "adopt_refused", true},
        {"1", {.adopt_result = 1, .moves = false}, {}, "slurmstepd answered 1", "adopt_refused", true},
        {"garbage",
         {.adopt_result = 0x41414141, .moves = false},
         {},
         "slurmstepd answered 1094795585",
         "adopt_refused",
         true},
        {"no, although inside", {.adopt_result = -1}, {}, "slurmstepd answered -1", "adopt_refused", true},
    });
}

TEST(AdoptFaults, Closed)
{
    run({
        {"without an answer",
         {.moves = false, .fault = Fault::close, .at = Step::adopt},
         {},
         "the peer closed the connection",
         "adopt_step_ended",
         true},
        {"in the answer",
         {.moves = false, .fault = Fault::half_then_close, .at = Step::adopt},
         {},
         "the peer closed the connection",
         "adopt_step_ended",
         true},
    });
}

TEST(AdoptFaults, DoneButNotInside)
{
    for (const Layout layout : {Layout::v1, Layout::v2, Layout::v2_sluid}) {
        Node node;
        FakeStepd& stepd = node.start(7, {.moves = false}, layout);
        const std::string directory = stepd.cgroup().substr(stepd.cgroup().find('/'));
        const std::string step = directory.substr(0, directory.rfind("/step_extern") + 12);
        expect("strict", log_in({.options = {"strict"}}),
               {"perm_denied",
                {"warning job 7: slurmstepd said done, but /proc shows the process outside " + step,
                 decided("notice deny adopt_not_inside", 1, 7, "-", "closed")},
                {adopt_failure_message("adopt_not_inside")}});
    }
}

TEST(AdoptFaults, HangingBeforeAndAfterTheMove)
{
    const StepdScript hangs_before = {.moves = false, .fault = Fault::hang, .at = Step::adopt};
    const StepdScript hangs_after = {.fault = Fault::hang, .at = Step::adopt};
    run({
        {"not moved", hangs_before, {}, "no answer in time", "adopt_timeout"},
        {"not moved, no namespaces", hangs_before, {"join_container=0"}, "no answer in time", "adopt_timeout"},
        // Moved, but whether the job has a namespace is not known any more.
        {"moved", hangs_after, {}, "no answer in time; adopted all the same, by the kernel's view", "adopt_timeout"},
        {"display",
         {.fault = Fault::hang, .at = Step::x11},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"xauthority",
         {.display = 1, .xauthority = "/tmp/x", .fault = Fault::hang, .at = Step::xauthority},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"namespaces",
         {.fault = Fault::hang, .at = Step::namespaces},
         {},
         "namespaces: no answer in time",
         "namespace_join"},
        {"descriptor",
         {.namespaces = {{0, 0}}, .namespace_count = 1, .fault = Fault::hang, .at = Step::descriptor},
         {},
         "namespaces: no answer in time",
         "namespace_join"},
    });
}

TEST(AdoptFaults, ClosedAfterTheAdoption)
{
    run({
        {"display",
         {.fault = Fault::close, .at = Step::x11},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"half a display",
         {.fault = Fault::half_then_close, .at = Step::x11},
         {},
         "namespaces: the conversation broke off before",
         "namespace_join"},
        {"namespaces",
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
        {"no answer, but inside",
         {.fault = Fault::hang, .at = Step::adopt},
         {"join_container=0"},
         "no answer in time; adopted all the same, by the kernel's view"},
        {"closed, but inside",
         {.fault = Fault::close, .at = Step::adopt},
         {"join_container=0"},
         "the peer closed the connection; adopted all the same, by the kernel's view"},
        {"no display", {.fault = Fault::hang, .at = Step::x11}, {"join_container=0"}, "X11: no answer in time"},
        {"half a display",
         {.fault = Fault::half_then_close, .at = Step::x11_length},
         {"join_container=0"},
         "X11: the peer closed the connection"},
        {"no path",
         {.display = 1, .xauthority = "/tmp/x", .fault = Fault::close, .at = Step::xauthority},
         {"join_container=0"},
         "X11: the peer closed the connection"},
        {"x11 hangs, not asked", {.fault = Fault::hang, .at = Step::x11}, {"disable_x11=1"}, ""},
        {"namespaces hang, not asked", {.fault = Fault::hang, .at = Step::namespaces}, {"join_container=0"}, ""},
        {"slow to move", {.before_adopting = 300ms}, {}, ""},
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
        EXPECT_LT(outcome.milliseconds, 1300) << each.what;
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
