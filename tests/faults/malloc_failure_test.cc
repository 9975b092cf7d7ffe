// SPDX-License-Identifier: GPL-2.0-or-later
// malloc() fails in the built module, and in libc and libpam on its behalf: once, at each place, and from each place on.
// (tests/module/memory_failure_test.cc: operator new.)
#include <security/pam_appl.h>
#include <sys/stat.h>

#include "host_login.h"
#include "preload.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

constexpr double bound_ms = 2500;  // timeout=1, and a node that is busy with other things

class MallocFailure : public NodeTest {
protected:
    // Until nothing fails any more. How many places there are.
    int exhaust(HostLogin login, const char* how_many)
    {
        int good = 0;
        for (bool failed = true; failed && !HasFailure(); ++good) {
            EXPECT_LT(good, 2000);
            login.environment = {std::string(good_mallocs) + '=' + std::to_string(good),
                                 std::string(failing_mallocs) + '=' + how_many};
            const HostOutcome outcome = log_in_on_host(login);
            const std::string what = std::to_string(good) + " good ones";
            failed = outcome.failed_mallocs > 0;
            longest_ = std::max(longest_, outcome.longest());
            if (login.user == "root") {
                EXPECT_EQ(outcome.trouble, "") << what;
                for (const HostCall& call : outcome.calls) EXPECT_EQ(call.code, PAM_SUCCESS) << what << outcome.text();
            } else {
                expect_safe(what, outcome, bound_ms);
            }
        }
        if (login.user != "root") expect_adopted_without_faults(login);
        return good - 1;
    }
    double longest_ = 0;
};

const char* const safe = "adopted, or refused under strict; no hang, no crash";

TEST_F(MallocFailure, OnceInBothPhases)
{
    (void)start(7, {.uid = nobody, .display = 10, .xauthority = "/tmp/a-path-that-needs-memory-of-its-own"});
    EXPECT_GT(exhaust({.options = {"strict", "timeout=1"}, .mode = "session"}, "1"), 40);
    report_fault({"system", "malloc fails once, at each place of both phases", safe, bound_ms}, longest_);
}

TEST_F(MallocFailure, FromThereOnInBothPhases)
{
    (void)start(7, {.uid = nobody});
    EXPECT_GT(exhaust({.options = {"strict", "timeout=1"}, .mode = "session"}, "0"), 40);
    report_fault({"system", "no memory is left, from each place of both phases on", safe, bound_ms}, longest_);
}

TEST_F(MallocFailure, WithTheHelperAndARuntimeDirectory)
{
    (void)start(7, {.uid = nobody});
    (void)start(8, {.uid = nobody});
    const std::string helper = spool_.write("helper", "#!/bin/sh\nexit 0\n");
    ASSERT_EQ(::chmod(helper.c_str(), 0755), 0);
    ASSERT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
    EXPECT_GT(exhaust({.options = {"strict", "timeout=1", "callerid_timeout=1", "helper=" + helper, "runtime_dir=1"},
                       .mode = "session",
                       .prepare = private_run},
                      "1"),
              60);
    report_fault({"system", "malloc fails once, with the helper and a runtime directory", safe, bound_ms}, longest_);
}

TEST_F(MallocFailure, RootComesThrough)
{
    (void)start(7, {.uid = 0});
    for (const char* how_many : {"1", "0"}) {
        EXPECT_GT(exhaust({.user = "root", .mode = "session"}, how_many), 0);
    }
    EXPECT_GT(exhaust({.options = {"strict", "ignore_root=0", "timeout=1"}, .user = "root", .mode = "session"}, "0"), 40);
    report_fault({"system", "root, and malloc fails at each place or from there on", "ignore root", bound_ms}, longest_);
}

}  // namespace
}  // namespace slurm_adopt::test
