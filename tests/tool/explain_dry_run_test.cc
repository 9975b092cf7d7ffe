// SPDX-License-Identifier: GPL-2.0-or-later
// The dry run beside the module, with the slurmstepds of tests/module: the same decision, and nobody is adopted.
#include "explain/dry_run.h"

#include <algorithm>
#include <functional>
#include <thread>

#include "node_test.h"
#include "slurm_adopt/host_name.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;
using test::FakeStepd;
using test::Fault;
using test::Layout;
using test::StepdScript;

// Times and the priority in front are no part of what was decided.
std::string plain(std::string line)
{
    const std::size_t begin = line.find(" ms=");
    if (begin == std::string::npos) return line;
    const std::size_t end = line.find(' ', begin + 1);
    return line.substr(0, begin) + (end == std::string::npos ? "" : line.substr(end));
}

std::vector<std::string> plain_lines(const std::vector<std::string>& lines, bool has_priority)
{
    std::vector<std::string> result;
    for (const std::string& line : lines) result.push_back(plain(has_priority ? line.substr(line.find(' ') + 1) : line));
    return result;
}

std::vector<std::string> told_by(const DryRun& run)
{
    std::vector<std::string> told = run.told;
    const std::string host = " on " + short_host_name();
    for (std::string& line : told)
        if (const std::size_t found = line.find(host); found != std::string::npos)
            line.replace(found + 4, host.size() - 4, "HOST");
    return told;
}

std::string own_cgroup()
{
    std::ifstream file("/proc/self/cgroup");
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Case {
    const char* what;
    std::function<void(test::Node&)> jobs;
    std::vector<std::string> options = {"strict"};
    std::string user = "alice";
    std::string service = "sshd";
    const char* code = "success";  // of the module: so that the case is the one that it says
};

void none(test::Node&)
{
}

void two(test::Node& node)
{
    (void)node.start(8);
    std::this_thread::sleep_for(20ms);
    (void)node.start(7);
}

std::function<void(test::Node&)> one(const StepdScript& script, Layout layout = Layout::v1)
{
    return [=](test::Node& node) { (void)node.start(7, script, layout); };
}

void expect_agreement(const Case& one_case)
{
    SCOPED_TRACE(one_case.what);
    test::Node node;
    one_case.jobs(node);
    const std::string rhost = "198.51.100.7";
    const auto asked = [&] {
        int adopt = 0;
        for (const FakeStepd& stepd : node.stepds)
            adopt += stepd.seen().adopt + stepd.seen().namespace_26 + stepd.seen().namespaces_28;
        return adopt;
    };
    const std::string before = own_cgroup();
    const DryRun run = dry_run({.user = one_case.user,
                                .service = one_case.service,
                                .arguments = one_case.options,
                                .connection = std::nullopt,
                                .client = std::nullopt,
                                .remote_host = rhost,
                                .is_root = true,
                                .roots = {}});
    EXPECT_EQ(asked(), 0);
    EXPECT_EQ(own_cgroup(), before);

    const test::Outcome outcome =
        test::log_in({.user = one_case.user, .options = one_case.options, .service = one_case.service, .rhost = rhost});
    EXPECT_EQ(outcome.code, one_case.code);
    EXPECT_EQ(plain_lines(run.log, false), plain_lines(outcome.log, true));
    EXPECT_EQ(told_by(run), plain_lines(outcome.told, true));
    const bool let_in = outcome.code == "success" || outcome.code == "ignore";
    EXPECT_EQ(run.decision.verdict != Verdict::deny, let_in);
    EXPECT_EQ(run.decision.verdict == Verdict::ignore, outcome.code == "ignore");
}

TEST(DryRun, DecidesAsTheModule)
{
    for (const Case& each : {
             Case{.what = "no job", .jobs = none, .code = "perm_denied"},
             Case{.what = "no job, ignored", .jobs = none, .options = {"strict", "action_no_jobs=ignore"}, .code = "ignore"},
             Case{.what = "one job", .jobs = one({})},
             Case{.what = "one job, cgroup v2", .jobs = one({}, Layout::v2)},
             Case{.what = "one job, SLUID", .jobs = one({.version = test::release_26_05}, Layout::v2_sluid)},
             Case{.what = "somebody else's job", .jobs = one({.uid = test::bob}), .code = "perm_denied"},
             Case{.what = "a job that is ending", .jobs = one({.state = 3}), .code = "perm_denied"},
             Case{.what = "a job, and another that is ending",
                  .jobs = [](test::Node& node) {
                      (void)node.start(8, {.state = 3});
                      (void)node.start(7);
                  }},
             Case{.what = "the newest", .jobs = two},
             Case{.what = "several, denied", .jobs = two, .options = {"action_unknown=deny"}, .code = "perm_denied"},
             Case{.what = "several, allowed", .jobs = two, .options = {"strict", "action_unknown=allow"}},
             Case{.what = "a bad option",
             .jobs = one({}),
             .options = {"strict", "action_no_jobs=denyx"},
             .code = "perm_denied"},
             Case{
                 .what = "an unknown option, root", .jobs = one({}), .options = {"stric"}, .user = "root", .code = "ignore"},
             Case{.what = "root", .jobs = none, .user = "root", .code = "ignore"},
             Case{.what = "root by another name", .jobs = none, .user = "toor", .code = "ignore"},
             Case{.what = "an exempt user", .jobs = none, .options = {"strict", "exempt_users=alice"}, .code = "ignore"},
             Case{.what = "an exempt group",
             .jobs = none,
             .options = {"strict", "exempt_groups=admins"},
             .user = "dave",
             .code = "ignore"},
             Case{.what = "an exempt user with a job", .jobs = one({}), .options = {"strict", "exempt_users=alice", "exempt_adopt=1"}},
             Case{.what = "an exempt user without one",
             .jobs = none,
             .options = {"strict", "exempt_users=alice", "exempt_adopt=1", "wait_for_job=1"},
             .code = "ignore"},
             Case{.what = "a text of the site's", .jobs = none, .options = {"strict", "deny_message_file=/etc/hostname"}, .code = "perm_denied"},
             Case{.what = "a list that is not there", .jobs = none, .options = {"strict", "exempt_users=@/nowhere"}, .code = "perm_denied"},
             Case{.what = "another service", .jobs = none, .service = "cron", .code = "ignore"},
             Case{.what = "nobody", .jobs = none, .user = "nosuch", .code = "user_unknown"},
             Case{.what = "no user database", .jobs = none, .user = "broken", .code = "perm_denied"},
             Case{.what = "quiet", .jobs = none, .options = {"strict", "quiet"}, .code = "perm_denied"},
             Case{.what = "no log", .jobs = none, .options = {"strict", "log_level=quiet"}, .code = "perm_denied"},
         })
        expect_agreement(each);
}

TEST(DryRun, DecidesAsTheModuleWhereAnAdoptionFails)
{
    for (const Case& each : {
             Case{.what = "a step that ends", .jobs = one({.state = 3}), .code = "perm_denied"},
             Case{.what = "not to be verified", .jobs = one({}, Layout::no_cgroup), .code = "perm_denied"},
             Case{.what = "not to be verified, and it need not be", .jobs = one({}, Layout::no_cgroup), .options = {}},
             Case{.what = "no spool directory",
             .jobs = none,
             .options = {"strict", "spool_dir=/nowhere/at/all"},
             .code = "perm_denied"},
             Case{.what = "the same, open", .jobs = none, .options = {"spool_dir=/nowhere/at/all"}, .code = "ignore"},
         })
        expect_agreement(each);
}

TEST(DryRun, DecidesAsTheModuleWhereTheOwnSlurmstepdIsStopped)
{
    const auto stopped = [](test::Node& node) { node.start(7).stop(); };
    for (const Case& each :
         {Case{.what = "strict", .jobs = stopped, .options = {"strict", "timeout=1"}, .code = "perm_denied"},
          Case{.what = "open", .jobs = stopped, .options = {"timeout=1"}}})
        expect_agreement(each);
}

TEST(DryRun, NamesWhatItSaw)
{
    test::Node node;
    two(node);
    const DryRun run = dry_run({.user = "alice",
                                .service = "sshd",
                                .arguments = {"strict"},
                                .connection = std::nullopt,
                                .client = std::nullopt,
                                .remote_host = {},
                                .is_root = true,
                                .roots = {}});
    ASSERT_EQ(run.steps.size(), 4U);
    EXPECT_EQ(run.steps[0].kind, StepKind::before_jobs);
    ASSERT_TRUE(run.steps[1].jobs);
    ASSERT_EQ(run.steps[1].jobs->jobs.size(), 2U);
    EXPECT_EQ(run.steps[1].jobs->jobs[0].owner_by_kernel, test::alice);
    ASSERT_TRUE(run.steps[2].choice);
    ASSERT_EQ(run.steps[2].choice->candidates.size(), 2U);
    EXPECT_EQ(run.steps[2].choice->candidates[0].job_id, 7U);
    EXPECT_EQ(run.steps[2].choice->candidates[1].job_id, 8U);
    ASSERT_TRUE(run.steps[3].adoption);
    EXPECT_EQ(run.steps[3].adoption->job_id, 7U);
    EXPECT_TRUE(run.steps[3].adoption->would_be_asked);
    Microseconds sum{0};
    for (const Step& step : run.steps) sum += step.took;
    EXPECT_LE(sum, run.took);
    EXPECT_GT(sum.count(), 0);
}

}  // namespace
}  // namespace slurm_adopt::tool
