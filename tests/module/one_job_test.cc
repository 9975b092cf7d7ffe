// SPDX-License-Identifier: GPL-2.0-or-later
// No job and one job: refused, adopted, and what a session gets by it.
#include "node_test.h"

namespace slurm_adopt::test {
namespace {

class OneJob : public NodeTest {};

TEST_F(OneJob, NoJobIsRefused)
{
    expect("default", log_in({}), {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "open")}, {no_job_message}});
    expect("strict", log_in({.options = {"strict"}}),
           {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
    expect("action_no_jobs=ignore", log_in({.options = {"action_no_jobs=ignore"}}),
           {"ignore", {decided("info ignore no_jobs", 0, 0, "-", "open")}});
}

TEST_F(OneJob, SomebodyElsesJobIsNone)
{
    FakeStepd& bobs = start(9, {.uid = bob});
    const Outcome outcome = log_in({});
    expect("v1", outcome, {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "open")}, {no_job_message}});
    EXPECT_FALSE(is_in(outcome, bobs.cgroup()));
    EXPECT_EQ(bobs.seen().connections, 0) << "the kernel tells whose it is: not even woken";

    FakeStepd& on_v2 = start(10, {.uid = bob}, Layout::no_cgroup);
    expect("unknown", log_in({}), {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "open")}, {no_job_message}});
    EXPECT_GE(on_v2.seen().connections, 1) << "asked before a refusal";
    EXPECT_EQ(on_v2.seen().adopt, 0);
}

TEST_F(OneJob, AdoptedOnEveryRelease)
{
    struct Case {
        const char* what;
        Layout layout;
        std::int32_t version;
    };
    for (const Case& each : {Case{"22.05, v1", Layout::v1, release_22_05},
                             {"25.05, v2", Layout::v2, release_25_05},
                             {"25.11, v2", Layout::v2, release_25_11},
                             {"26.05, SLUID", Layout::v2_sluid, release_26_05},
                             {"a future one", Layout::v2_sluid, 0x7fff}}) {
        Node node;
        FakeStepd& stepd = node.start(7, {.version = each.version}, each.layout);
        const Outcome outcome = log_in({.options = {"strict"}});
        expect(each.what, outcome,
               {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}});
        EXPECT_TRUE(is_in(outcome, stepd.cgroup())) << each.what << '\n' << outcome.cgroup;
        EXPECT_EQ(stepd.seen().connections, 1) << each.what;
        EXPECT_EQ(stepd.seen().adopt, 1) << each.what;
        EXPECT_EQ(stepd.seen().namespace_26 + stepd.seen().namespaces_28, 1) << each.what;
        EXPECT_EQ(stepd.seen().namespaces_28, each.version >= release_25_11 ? 1 : 0) << each.what;
    }
}

TEST_F(OneJob, FoundBySpoolDirectoryAndByNodeName)
{
    FakeStepd& stepd = start(7);
    const Expected adopted = {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}};
    expect("spool_dir", log_in({.options = {"strict", "spool_dir=" + spool_.path()}}), adopted);
    expect("nodename", log_in({.options = {"strict", "nodename=" + tree_.node()}}), adopted);
    EXPECT_EQ(stepd.seen().adopt, 2);
    const Outcome other = log_in({.options = {"nodename=other"}});
    EXPECT_EQ(other.log, std::vector<std::string>{decided("notice deny no_jobs", 0, 0, "-", "open")});
    EXPECT_EQ(other.told, std::vector<std::string>{"error Access denied: you have no job running on other. Start one there "
                                                   "(sbatch, salloc) and log in while it runs."});
    EXPECT_EQ(stepd.seen().connections, 2);
    TempDirectory empty;
    expect("another spool", log_in({.options = {"spool_dir=" + empty.path()}}),
           {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "open")}, {no_job_message}});
}

TEST_F(OneJob, ErrnoFromBeforeDoesNotMatter)
{
    (void)start(7);
    for (const int number : {EINTR, EAGAIN, ENOMEM, 12345})
        expect(std::to_string(number), log_in({.options = {"strict"}, .errno_before = number}),
               {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}});
}

TEST_F(OneJob, AnEnvironmentThatCannotBeSetIsNoFailure)
{
    FakeStepd& stepd = start(7, {.display = 10});
    const Outcome outcome = log_in({.options = {"strict"}, .putenv_result = PAM_BUF_ERR});
    expect("pam_putenv fails", outcome,
           {"success",
            {"warning pam_putenv SLURM_JOB_ID: told to fail", "warning pam_putenv DISPLAY: told to fail",
             decided("info adopt one_job", 1, 7, "yes", "closed")}});
    EXPECT_TRUE(is_in(outcome, stepd.cgroup()));
}

TEST_F(OneJob, AConversationThatFailsChangesNothing)
{
    expect("pam_prompt fails", log_in({.prompt_result = PAM_CONV_ERR}),
           {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "open")}, {no_job_message}});
}

TEST_F(OneJob, TheUserIsToldNothingWhereAskedNotTo)
{
    const std::vector<std::string> log = {decided("notice deny no_jobs", 0, 0, "-", "open")};
    expect("quiet", log_in({.options = {"quiet"}}), {"perm_denied", log});
    expect("PAM_SILENT", log_in({.flags = static_cast<int>(PAM_SILENT)}), {"perm_denied", log});
    expect("quiet=0", log_in({.options = {"quiet=0"}}), {"perm_denied", log, {no_job_message}});
}

TEST_F(OneJob, WithoutCgroupsAnAdoptionIsUnverified)
{
    FakeStepd& stepd = start(7, {}, Layout::no_cgroup);
    expect("default", log_in({}), {"success", {decided("info adopt one_job", 1, 7, "no", "open")}, {}, {"SLURM_JOB_ID=7"}});
    EXPECT_EQ(stepd.seen().adopt, 1);
    expect("strict", log_in({.options = {"strict"}}),
           {"perm_denied",
            {"warning job 7: slurmstepd is in no step_extern cgroup (ProctrackType=proctrack/cgroup?)",
             decided("notice deny adopt_unverifiable", 1, 7, "-", "closed")},
            {adopt_failure_message("adopt_unverifiable")}});
    // strict asks too: a step that has just begun is in its cgroup only by the time it has adopted.
    EXPECT_EQ(stepd.seen().adopt, 2);
}

}  // namespace
}  // namespace slurm_adopt::test
