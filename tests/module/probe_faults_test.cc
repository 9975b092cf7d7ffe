// SPDX-License-Identifier: GPL-2.0-or-later
// A slurmstepd that goes wrong before it has said whose it is.
#include <sys/socket.h>
#include <sys/un.h>

#include "decision_of.h"
#include "node_test.h"
#include "slurm_adopt/fd.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

struct Case {
    const char* what;
    StepdScript script;
    Expected expected;
    double at_most_ms = 300;
    const char* timeout = "timeout=1";
};

void run(const std::vector<Case>& cases)
{
    for (const Case& each : cases) {
        Node node;
        (void)node.start(7, each.script);
        Outcome outcome = log_in({.options = {"strict", each.timeout}});
        for (std::string& line : outcome.log)
            if (const std::size_t at = line.find(node.spool.path()); at != std::string::npos) {
                const std::string socket = node.stepds.front().socket();
                line.replace(at, socket.size(), "SOCKET");
            }
        expect(each.what, outcome, each.expected);
        report_fault({"slurmstepd", std::string("asked whose it is: ") + each.what, decision_of(outcome), each.at_most_ms},
                     outcome.milliseconds);
    }
}

Expected no_job(std::vector<std::string> warnings = {})
{
    warnings.push_back(decided("notice deny no_jobs", 0, 0, "-", "closed"));
    return {"perm_denied", warnings, {no_job_message}};
}

// It is the user's by the kernel's view, and nobody to adopt into it: that is no "no job".
Expected silent()
{
    return {
        "perm_denied",
        {"warning 1 extern step(s) did not answer, e.g. SOCKET", decided("notice deny adopt_timeout", 1, 0, "-", "closed")},
        {adopt_failure_message("adopt_timeout")}};
}

const Expected adopted = {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}};

std::vector<std::string> unusable(const std::string& why)
{
    return {"warning 1 extern step(s) could not be asked, e.g. SOCKET: " + why};
}

TEST(ProbeFaults, Closed)
{
    run({
        {"closes at once", {.fault = Fault::close, .at = Step::version}, no_job()},
        {"closes in the version", {.fault = Fault::half_then_close, .at = Step::version}, no_job(unusable("closed in the handshake"))},
        {"closes before the uid", {.fault = Fault::close, .at = Step::uid}, no_job(unusable("closed in the handshake"))},
        {"closes in the uid", {.fault = Fault::half_then_close, .at = Step::uid}, no_job(unusable("closed in the handshake"))},
        {"dies at once", {.fault = Fault::die, .at = Step::version}, no_job()},
        {"dies before the uid", {.fault = Fault::die, .at = Step::uid}, no_job(unusable("closed in the handshake"))},
    });
}

// There is a job of the user's; that it cannot be spoken to does not make it none.
Expected cannot_be_asked(const std::string& why)
{
    Expected expected = silent();
    expected.log.front() = unusable(why).front();
    return expected;
}

TEST(ProbeFaults, GarbageVersions)
{
    run({
        {"version 0", {.version = 0}, cannot_be_asked("refused the handshake with 0")},
        {"version -1", {.version = -1}, cannot_be_asked("refused the handshake with -1")},
        {"the lowest version", {.version = -2147483647 - 1}, cannot_be_asked("refused the handshake with -2147483648")},
        {"a version newer than we know", {.version = 2147483647}, adopted},
        {"version 1, older than we know", {.version = 1}, adopted},
    });
}

TEST(ProbeFaults, AWrongUidIsNotOurs)
{
    // The kernel shows it below alice's uid; whose it is is what the slurmstepd says.
    for (const uid_t uid : {bob, uid_t{0}, uid_t{4294967295}}) {
        CgroupTree tree;
        TempDirectory spool;
        const FakeStepd stepd(tree, spool.path(), 7, {.uid = uid}, Layout::v1, alice);
        const Outcome outcome = log_in({.options = {"strict"}});
        expect("wrong uid", outcome, no_job());
        EXPECT_EQ(stepd.seen().adopt, 0);
        report_fault({"slurmstepd", "asked whose it is: uid " + std::to_string(uid), "deny no_jobs", 300}, outcome.milliseconds);
    }
}

TEST(ProbeFaults, Hanging)
{
    run({
        {"does not accept", {.accepts = false}, silent(), 1300},
        {"says nothing", {.fault = Fault::hang, .at = Step::version}, silent(), 1300},
        {"no uid", {.fault = Fault::hang, .at = Step::uid}, silent(), 1300},
    });
}

TEST(ProbeFaults, SlowIsNotHung)
{
    run({
        {"a byte every 50 ms", {.between_bytes = 50ms}, adopted, 2000, "timeout=10"},
        {"accepts after 400 ms", {.accepts_after = 400ms}, adopted, 900},
    });
}

TEST(ProbeFaults, ADripWithoutEndEndsAtTheDeadline)
{
    run({{"a byte every 300 ms", {.between_bytes = 300ms}, silent(), 1300}});
}

TEST(ProbeFaults, AStoppedOneIsNotWaitedForLong)
{
    Node node;
    FakeStepd& stepd = node.start(7);
    stepd.stop();
    const Outcome outcome = log_in({.options = {"strict"}});  // 10 s would be allowed
    expect("stopped", outcome,
           {"perm_denied",
            {"warning 1 extern step(s) did not answer, e.g. " + stepd.socket(),
             decided("notice deny adopt_timeout", 1, 0, "-", "closed")},
            {adopt_failure_message("adopt_timeout")}});
    report_fault({"slurmstepd", "asked whose it is: is stopped, timeout=10", "deny adopt_timeout", 700}, outcome.milliseconds);
}

TEST(ProbeFaults, AFullBacklog)
{
    const auto fill = [](const std::string& path) {
        std::vector<Fd> waiting;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, path.size());
        while (true) {
            Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return waiting;
            waiting.push_back(std::move(socket));
        }
    };
    {
        Node node;
        FakeStepd& stepd = node.start(7, {.accepts = false, .backlog = 1});
        const auto waiting = fill(stepd.socket());
        const Outcome outcome = log_in({.options = {"strict"}});
        expect("for good", outcome,
               {"perm_denied",
                {"warning 1 extern step(s) did not answer, e.g. " + stepd.socket(),
                 decided("notice deny adopt_timeout", 1, 0, "-", "closed")},
                {adopt_failure_message("adopt_timeout")}});
        report_fault({"slurmstepd", "listen backlog full for good, timeout=10", "deny adopt_timeout", 2500}, outcome.milliseconds);
    }
    Node node;
    FakeStepd& stepd = node.start(7, {.accepts_after = 300ms, .backlog = 1});
    const auto waiting = fill(stepd.socket());
    const Outcome outcome = log_in({.options = {"strict"}});
    expect("for a moment", outcome, adopted);
    report_fault({"slurmstepd", "listen backlog full for 0.3 s", "adopt one_job", 1300}, outcome.milliseconds);
}

}  // namespace
}  // namespace slurm_adopt::test
