// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts that are not like sshd: with threads, several handles, signals all the time, no children to wait for.
#include <security/pam_appl.h>
#include <sys/stat.h>

#include "host_login.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

// Nothing is waited for.
constexpr double bound_ms = 1000;
// timeout=1, and a node that is busy with other things.
constexpr double with_timeout = 2500;

class Hosts : public NodeTest {
protected:
    std::string helper(const std::string& body)
    {
        const std::string path = spool_.write("helper", "#!/bin/sh\n" + body + '\n');
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        return "helper=" + path;
    }
    // Adopted in every one of `calls` calls.
    void expect_adopted(const HostLogin& login, std::size_t calls, const char* fault, const char* expected, double bound)
    {
        const HostOutcome outcome = log_in_on_host(login);
        EXPECT_TRUE(outcome.adopted()) << fault << ':' << outcome.text();
        EXPECT_EQ(outcome.calls.size(), calls) << fault << ':' << outcome.text();
        report_fault({"system", fault, expected, bound}, outcome.longest());
    }
};

TEST_F(Hosts, WithSeveralThreads)
{
    (void)start(7, {.uid = nobody});
    (void)start(8, {.uid = nobody});
    expect_adopted({.options = {"strict", "callerid_timeout=1", helper("exit 0")}, .mode = "threads"}, 4,
                   "four threads of one host log in at once, with the helper", "adopt newest_job", 3500);
}

TEST_F(Hosts, TwiceInOneProcessAndTwoHandles)
{
    (void)start(7, {.uid = nobody});
    expect_adopted({.mode = "again"}, 6, "both phases twice on one handle", "adopt one_job", bound_ms);
    expect_adopted({.mode = "handles"}, 6, "two handles in one process, their calls in turn", "adopt one_job", bound_ms);
    expect_adopted({.options = {"strict", "runtime_dir=1"}, .mode = "handles", .prepare = private_run}, 6,
                   "two handles in one process, with a runtime directory", "adopt one_job", bound_ms);
    expect_adopted({.mode = "child"}, 2, "the account phase in a child of sshd's", "adopt one_job", bound_ms);
}

TEST_F(Hosts, ThatEndsNothing)
{
    (void)start(7, {.uid = nobody});
    expect_adopted({.mode = "no-end"}, 2, "neither the session nor the handle is ended", "adopt one_job", bound_ms);
    expect_adopted({.options = {"strict", "runtime_dir=1"}, .mode = "no-end", .prepare = private_run}, 2,
                   "neither is ended, with a runtime directory", "adopt one_job", bound_ms);
}

TEST_F(Hosts, ThatIgnoresSigchld)
{
    (void)start(7, {.uid = nobody});
    (void)start(8, {.uid = nobody});
    for (const char* body : {"exit 0", "sleep 60"})
        expect_adopted({.options = {"strict", "callerid_timeout=1", helper(body)}, .mode = "sigchld"}, 3,
                       *body == 'e' ? "SIGCHLD is ignored, the helper ends at once" : "SIGCHLD is ignored, the helper hangs",
                       "adopt newest_job", with_timeout);
}

TEST_F(Hosts, WithSignalsAllTheTime)
{
    (void)start(7, {.uid = nobody, .before_adopting = std::chrono::milliseconds(20)});
    expect_adopted({.mode = "interrupted"}, 3, "a signal each 100 us, the slurmstepd is slow", "adopt one_job", bound_ms);
    expect_adopted({.options = {"strict", "runtime_dir=1"}, .mode = "interrupted", .prepare = private_run}, 3,
                   "a signal each 100 us, with a runtime directory", "adopt one_job", bound_ms);
    (void)start(8, {.uid = nobody});
    expect_adopted({.options = {"strict", "callerid_timeout=1", helper("sleep 60")}, .mode = "interrupted"}, 3,
                   "a signal each 100 us, the helper hangs", "adopt newest_job", with_timeout);
}

TEST_F(Hosts, WithSignalsWhileASlurmstepdHangs)
{
    for (const Step step : {Step::version, Step::adopt, Step::namespaces}) {
        Node node;
        (void)node.start(7, {.uid = nobody, .moves = false, .fault = Fault::hang, .at = step});
        const HostOutcome outcome = log_in_on_host({.options = {"strict", "timeout=1"}, .mode = "interrupted"});
        expect_safe("a hung one", outcome, with_timeout);
        ASSERT_EQ(outcome.calls.size(), 1U) << outcome.text();
        EXPECT_EQ(outcome.calls.front().code, PAM_PERM_DENIED) << outcome.text();
        report_fault({"system", "a signal each 100 us, the slurmstepd hangs", "refused", with_timeout}, outcome.longest());
    }
}

// A name service that is always interrupted (fake_users.cc).
TEST_F(Hosts, WhoseNameServiceIsInterruptedForEver)
{
    const Outcome outcome = log_in({.user = "always-interrupted", .options = {"strict"}});
    EXPECT_EQ(outcome.complaints, "");
    EXPECT_EQ(outcome.code, "perm_denied");
    report_fault({"system", "the name service answers EINTR for ever", "deny user_lookup", bound_ms}, outcome.milliseconds);
}

}  // namespace
}  // namespace slurm_adopt::test
