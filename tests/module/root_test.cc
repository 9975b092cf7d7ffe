// SPDX-License-Identifier: GPL-2.0-or-later
// Root passes through, whatever else is broken.
#include "node_test.h"

namespace slurm_adopt::test {
namespace {

class Root : public NodeTest {};

const Who root = {.user = "root", .uid = "-"};
const Who looked_up = {.user = "root", .uid = "0"};

TEST_F(Root, PassesWithoutAnyJob)
{
    for (const char* option :
         {"strict", "action_no_jobs=deny", "quiet", "service=login", "nodename=x", "exempt_users=alice"})
        EXPECT_EQ(log_in({.user = "root", .options = {option}}).code, "ignore") << option;
    expect("default", log_in({.user = "root"}), {"ignore", {decided("info ignore root", 0, 0, "-", "open", root)}});
}

TEST_F(Root, IsNotAdoptedAndAsksNobody)
{
    FakeStepd& stepd = start(7, {.uid = 0});
    const Outcome outcome = log_in({.user = "root"});
    EXPECT_EQ(outcome.code, "ignore");
    EXPECT_FALSE(is_in(outcome, stepd.cgroup()));
    EXPECT_EQ(stepd.seen().connections, 0);
}

TEST_F(Root, PassesWithBrokenOptions)
{
    for (const char* option : {"nonsense", "strict=maybe", "action_no_jobs=denyx", "timeout=0", "", "quiet=", "=x"}) {
        const Outcome outcome = log_in({.user = "root", .options = {option, "ignore_root=0"}});
        EXPECT_EQ(outcome.code, "ignore") << option;
        EXPECT_EQ(outcome.complaints, "") << option;
        ASSERT_EQ(outcome.log.size(), 2U) << option;
        EXPECT_TRUE(outcome.log[0].starts_with("error PAM line: ")) << outcome.log[0];
        EXPECT_TRUE(outcome.log[1].starts_with("info decision=ignore reason=root ")) << outcome.log[1];
    }
    EXPECT_EQ(log_in({.user = "root", .options = {"ignore_root=2"}}).code, "ignore");
    expect("twice", log_in({.user = "root", .options = {"strict", "strict"}}),
           {"ignore",
            {"error PAM line: option 'strict' is given twice: 'strict'; keep one of them (allowed: 0|1|false|true)",
             decided("info ignore root", 0, 0, "-", "closed", root)}});
}

TEST_F(Root, PassesWhereNothingCanBeRead)
{
    Roots nowhere;
    nowhere.proc = spool_ / "nowhere";
    expect("default", log_in({.user = "root", .roots = nowhere}),
           {"ignore", {decided("info ignore root", 0, 0, "-", "open", root)}});
    expect("ignore_root=0", log_in({.user = "root", .options = {"ignore_root=0", "strict"}, .roots = nowhere}),
           {"ignore",
            {"error cannot list the extern steps: " + nowhere.proc + "/net/unix: No such file or directory",
             decided("info ignore root", 0, 0, "-", "closed", looked_up)}});
    expect("spool_dir", log_in({.user = "root", .options = {"ignore_root=0", "spool_dir=/nowhere"}}),
           {"ignore",
            {"error cannot list the extern steps: /nowhere: No such file or directory",
             decided("info ignore root", 0, 0, "-", "open", looked_up)}});
}

TEST_F(Root, ByAnotherName)
{
    const Who toor = {.user = "toor", .uid = "0"};
    FakeStepd& stepd = start(7, {.uid = 0});
    expect("default", log_in({.user = "toor"}), {"ignore", {decided("info ignore root", 0, 0, "-", "open", toor)}});
    EXPECT_EQ(stepd.seen().connections, 0);
    const Outcome broken = log_in({.user = "toor", .options = {"nonsense"}});
    EXPECT_EQ(broken.code, "ignore") << "uid 0 is root";
    for (const char* name : {"root ", "Root", "roo", "rootx", "root\n"})
        EXPECT_EQ(log_in({.user = name}).code, "user_unknown") << name;
}

TEST_F(Root, IsAdoptedWithIgnoreRoot0WhereRootHasAJob)
{
    FakeStepd& stepd = start(7, {.uid = 0});
    const Outcome outcome = log_in({.user = "root", .options = {"ignore_root=0", "strict"}});
    expect("adopted", outcome,
           {"success", {decided("info adopt one_job", 1, 7, "yes", "closed", looked_up)}, {}, {"SLURM_JOB_ID=7"}});
    EXPECT_TRUE(is_in(outcome, stepd.cgroup()));
}

TEST_F(Root, PassesWithIgnoreRoot0InEveryOtherCase)
{
    const auto log_in_as_root = [](std::vector<std::string> options) {
        options.insert(options.end(), {"ignore_root=0", "strict", "timeout=1"});
        return log_in({.user = "root", .options = options});
    };
    expect("no job", log_in_as_root({}), {"ignore", {decided("info ignore root", 0, 0, "-", "closed", looked_up)}});
    expect("service", log_in_as_root({"service=login"}),
           {"ignore", {decided("info ignore root", 0, 0, "-", "closed", looked_up)}});
    (void)start(9, {.uid = alice});
    expect("alice's job", log_in_as_root({}), {"ignore", {decided("info ignore root", 0, 0, "-", "closed", looked_up)}});

    FakeStepd& refuses = start(7, {.uid = 0, .adopt_result = -1, .moves = false});
    EXPECT_EQ(log_in_as_root({}).code, "ignore");
    EXPECT_GE(refuses.seen().adopt, 1);
    (void)start(8, {.uid = 0, .fault = Fault::hang, .at = Step::adopt});
    EXPECT_EQ(log_in_as_root({}).code, "ignore");
    const Outcome several = log_in_as_root({"action_unknown=deny"});
    expect("several", several, {"ignore", {decided("info ignore root", 2, 0, "-", "closed", looked_up)}});
}

}  // namespace
}  // namespace slurm_adopt::test
