// SPDX-License-Identifier: GPL-2.0-or-later
#include "stepd_fault.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <list>

#include "fault_logins.h"
#include "node_test.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

constexpr unsigned first_job = 7;

void make_batch_directory(const std::string& spool, unsigned job_id)
{
    char name[32];
    (void)std::snprintf(name, sizeof name, "/job%05u", job_id);
    ASSERT_EQ(::mkdir((spool + name).c_str(), 0700), 0);
    ASSERT_EQ(::chown((spool + name).c_str(), alice, 0), 0);
}

const char* name_of(Layout layout)
{
    switch (layout) {
    case Layout::v1: return "cgroup v1";
    case Layout::v2: return "cgroup v2";
    case Layout::v2_sluid: return "26.05";
    case Layout::no_cgroup: return "no cgroup";
    }
    return "";
}

struct Attempt {
    Node node;
    std::string what;
    bool strict = false;
    bool adopts = false;
};

void run(const StepdFault& fault)
{
    std::list<Attempt> attempts;
    std::vector<Login> logins;
    for (const StepdScript& script : fault.scripts)
        for (const Layout layout : fault.layouts)
            for (const bool strict : {true, false}) {
                Attempt& attempt = attempts.emplace_back();
                attempt.strict = strict;
                attempt.what = fault.fault + ", " + name_of(layout) + (strict ? ", strict" : "");
                for (unsigned job_id = first_job; job_id < first_job + static_cast<unsigned>(fault.count); ++job_id) {
                    FakeStepd& stepd = attempt.node.start(job_id, of_release(script, layout), layout);
                    if (fault.stopped) stepd.stop();
                    if (fault.known_to_be_own && layout != Layout::v1)
                        make_batch_directory(attempt.node.spool.path(), job_id);
                }
                std::vector<std::string> options = fault.options;
                options.insert(options.end(), {"nodename=" + attempt.node.tree.node(), strict ? "strict=1" : "strict=0"});
                logins.push_back({.options = options});
            }
    const std::vector<Outcome> outcomes = log_in_together(logins);
    double longest = 0;
    auto outcome = outcomes.begin();
    for (const Attempt& attempt : attempts) {
        const std::string& expected = attempt.strict || fault.open.empty() ? fault.strict : fault.open;
        EXPECT_EQ(outcome->complaints, "") << attempt.what;
        EXPECT_EQ(decision_of(*outcome), expected)
            << attempt.what << ": " << (outcome->log.empty() ? "" : outcome->log.front());
        EXPECT_EQ(outcome->code, expected.starts_with("deny") ? "perm_denied" : "success") << attempt.what;
        if (expected.starts_with("adopt")) {
            EXPECT_TRUE(is_in(*outcome, attempt.node.stepds.front().cgroup())) << attempt.what;
        } else {
            EXPECT_TRUE(outcome->environment.empty()) << attempt.what;
        }
        longest = std::max(longest, outcome->milliseconds);
        ++outcome;
    }
    const std::string expected = fault.open.empty() ? fault.strict : fault.strict + "; without strict " + fault.open;
    report_fault({"slurmstepd", fault.fault, expected, fault.bound_ms}, longest);
}

}  // namespace

StepdScript of_release(StepdScript script, Layout layout)
{
    constexpr std::int32_t release_24_11 = 42 << 8;
    if (script.version != release_22_05) return script;  // the fault itself
    if (layout == Layout::v2) script.version = release_24_11;
    if (layout == Layout::v2_sluid) script.version = release_26_05;
    return script;
}

void run(const std::vector<StepdFault>& faults)
{
    for (const StepdFault& fault : faults) run(fault);
}

}  // namespace slurm_adopt::test
