// SPDX-License-Identifier: GPL-2.0-or-later
// What comes with an adoption: the job's X11 display and its namespaces.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <thread>

#include "mount_namespace.h"
#include "node_test.h"
#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

class Extras : public NodeTest {};

std::vector<std::string> adopted_line()
{
    return {decided("info adopt one_job", 1, 7, "yes", "closed")};
}

TEST_F(Extras, DisplayAndXauthority)
{
    struct Case {
        const char* what;
        StepdScript script;
        std::vector<std::string> options;
        std::vector<std::string> environment;
        std::vector<std::string> warnings = {};
    };
    const std::string deep = "/tmp/" + std::string(400, 'd') + "/xauth";  // PATH_MAX is 4096
    const std::vector<Case> cases = {
        {"none", {}, {}, {"SLURM_JOB_ID=7"}},
        {"display", {.display = 10}, {}, {"SLURM_JOB_ID=7", "DISPLAY=localhost:10.0"}},
        {"display and file",
         {.display = 99, .xauthority = "/tmp/xauth.7"},
         {},
         {"SLURM_JOB_ID=7", "DISPLAY=localhost:99.0", "XAUTHORITY=/tmp/xauth.7"}},
        {"file without display", {.xauthority = "/tmp/xauth.7"}, {}, {"SLURM_JOB_ID=7"}},
        {"negative display", {.display = -1}, {}, {"SLURM_JOB_ID=7"}},
        {"disable_x11", {.display = 10, .xauthority = "/tmp/xauth.7"}, {"disable_x11=1"}, {"SLURM_JOB_ID=7"}},
        {"drip",
         {.display = 10, .xauthority = "/tmp/x", .between_bytes = 5ms},
         {},
         {"SLURM_JOB_ID=7", "DISPLAY=localhost:10.0", "XAUTHORITY=/tmp/x"}},
        {"a deep file",
         {.display = 10, .xauthority = deep},
         {},
         {"SLURM_JOB_ID=7", "DISPLAY=localhost:10.0", "XAUTHORITY=" + deep}},
        {"a home with an umlaut",
         {.display = 10, .xauthority = "/home/j\xc3\xbcrgen/.Xauthority"},
         {},
         {"SLURM_JOB_ID=7", "DISPLAY=localhost:10.0", "XAUTHORITY=/home/j\xc3\xbcrgen/.Xauthority"}},
        {"not a path",
         {.display = 10, .xauthority = "LD_PRELOAD=/x"},
         {},
         {"SLURM_JOB_ID=7"},
         {"warning job 7: X11: XAUTHORITY is no path: LD_PRELOAD=/x"}},
        {"control characters",
         {.display = 10, .xauthority = "/tmp/a\nDISPLAY=evil"},
         {},
         {"SLURM_JOB_ID=7"},
         {"warning job 7: X11: XAUTHORITY is no path: /tmp/a?DISPLAY=evil"}},
    };
    for (const Case& each : cases) {
        Node node;
        FakeStepd& stepd = node.start(7, each.script);
        std::vector<std::string> options = each.options;
        options.push_back("strict");
        std::vector<std::string> log = each.warnings;
        log.push_back(adopted_line().front());
        expect(each.what, log_in({.options = options}), {"success", log, {}, each.environment});
        EXPECT_EQ(stepd.seen().x11, each.options.empty() ? 1 : 0) << each.what;
    }
}

// A length that cannot be believed: nothing behind it can be told apart, so namespaces are lost with it.
TEST_F(Extras, ALyingXauthorityLength)
{
    for (const std::int32_t length : {-1, -2147483647 - 1, 4097, 2147483647}) {
        Node node;
        (void)node.start(7, {.display = 10, .xauthority = "/tmp/x", .xauthority_length = length});
        const std::string what = "X11: XAUTHORITY of " + std::to_string(length) + " bytes";
        expect("lost", log_in({.options = {"strict"}}),
               {"perm_denied",
                {"warning job 7: namespaces: the conversation broke off before",
                 decided("notice deny namespace_join", 1, 7, "-", "closed")},
                {adopt_failure_message("namespace_join")}});
        expect("not needed", log_in({.options = {"strict", "join_container=0"}}),
               {"success", {"warning job 7: " + what, adopted_line().front()}, {}, {"SLURM_JOB_ID=7"}});
        expect("not asked", log_in({.options = {"strict", "disable_x11=1"}}),
               {"success", adopted_line(), {}, {"SLURM_JOB_ID=7"}});
    }
}

TEST_F(Extras, NamespacesAreJoined)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    ASSERT_TRUE(offered);
    for (const std::int32_t version : {release_22_05, release_25_05, release_25_11, release_26_05})
        for (const bool typed : {true, false}) {
            Node node;
            FakeStepd& stepd = node.start(7, {.version = version, .namespaces = {{typed ? CLONE_NEWNS : 0, offered.get()}}});
            const Outcome joined = log_in({.options = {"strict"}});
            expect("joined", joined, {"success", adopted_line(), {}, {"SLURM_JOB_ID=7"}});
            EXPECT_EQ(joined.mount_namespace, name) << version;
            EXPECT_TRUE(is_in(joined, stepd.cgroup()));

            const Outcome outside = log_in({.options = {"strict", "join_container=false"}});
            expect("join_container=false", outside, {"success", adopted_line(), {}, {"SLURM_JOB_ID=7"}});
            EXPECT_NE(outside.mount_namespace, name);
            EXPECT_EQ(stepd.seen().namespace_26 + stepd.seen().namespaces_28, 1) << "not even asked";
        }
}

TEST_F(Extras, SeveralNamespacesInOrder)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    const Fd uts(::open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
    (void)start(7, {.version = release_26_05, .namespaces = {{CLONE_NEWUTS, uts.get()}, {CLONE_NEWNS, offered.get()}}});
    EXPECT_EQ(log_in({.options = {"strict"}}).mount_namespace, name);
}

TEST_F(Extras, NoNamespaceIsNone)
{
    for (const std::int32_t version : {release_25_05, release_25_11}) {
        Node node;
        (void)node.start(7, {.version = version});
        const Outcome outcome = log_in({.options = {"strict", "timeout=1"}});
        expect("none", outcome, {"success", adopted_line(), {}, {"SLURM_JOB_ID=7"}});
        EXPECT_LT(outcome.milliseconds, 500) << "waits for nothing";
    }
}

TEST_F(Extras, ANamespaceThatCannotBeJoinedIsAFailedAdoption)
{
    const Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Fd mount(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    struct Case {
        const char* what;
        StepdScript script;
        const char* detail;
    };
    const std::vector<Case> cases = {
        {"old, no namespace", {.namespaces = {{0, file.get()}}}, "setns: Invalid argument"},
        {"new, no namespace",
         {.version = release_26_05, .namespaces = {{CLONE_NEWNS, file.get()}}},
         "setns: Invalid argument"},
        {"new, of another type",
         {.version = release_26_05, .namespaces = {{CLONE_NEWNET, mount.get()}}},
         "setns: Invalid argument"},
        {"old, an error", {.namespace_count = -1}, "slurmstepd could not give the namespace"},
        {"old, none comes",
         {.namespaces = {{0, file.get()}}, .fault = Fault::close, .at = Step::descriptor},
         "the peer closed the connection"},
        {"old, nothing in it",
         {.namespaces = {{0, file.get()}}, .descriptors_at_once = 0},
         "expected one descriptor, got 0"},
        {"old, two", {.namespaces = {{0, mount.get()}}, .descriptors_at_once = 2}, "expected one descriptor, got 2"},
        {"new, two",
         {.version = release_26_05, .namespaces = {{CLONE_NEWNS, mount.get()}}, .descriptors_at_once = 2},
         "expected one descriptor, got 2"},
        {"new, seventeen", {.version = release_26_05, .namespace_count = 17}, "17 namespaces"},
        {"new, very many", {.version = release_26_05, .namespace_count = -1}, "4294967295 namespaces"},
        {"new, fewer than said",
         {.version = release_26_05, .namespaces = {{CLONE_NEWNS, mount.get()}}, .namespace_count = 2},
         "no answer in time"},
        {"old, dies",
         {.namespaces = {{0, mount.get()}}, .fault = Fault::die, .at = Step::namespaces},
         "the peer closed the connection"},
    };
    for (const Case& each : cases) {
        Node node;
        (void)node.start(7, each.script);
        const std::string warning = std::string("warning job 7: namespaces: ") + each.detail;
        expect(each.what, log_in({.options = {"strict", "timeout=1"}}),
               {"perm_denied",
                {warning, decided("notice deny namespace_join", 1, 7, "-", "closed")},
                {adopt_failure_message("namespace_join")}});
        if (each.script.fault != Fault::die)
            expect(each.what, log_in({.options = {"timeout=1"}}),
                   {"success", {warning, decided("warning allow namespace_join", 1, 7, "-", "open")}});
    }
}

TEST_F(Extras, AHundredDescriptorsLeaveNone)
{
    const Fd mount(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    for (const std::int32_t version : {release_22_05, release_26_05}) {
        Node node;
        (void)node.start(7, {.version = version, .namespaces = {{CLONE_NEWNS, mount.get()}}, .descriptors_at_once = 100});
        const Outcome outcome = log_in({.options = {"strict"}});  // expect() of every test compares the descriptors
        EXPECT_EQ(outcome.complaints, "");
        EXPECT_EQ(outcome.code, "perm_denied");
        ASSERT_EQ(outcome.log.size(), 2U);
        EXPECT_TRUE(outcome.log[0].starts_with("warning job 7: namespaces: expected one descriptor, got "))
            << outcome.log[0];
    }
}

// Half of a job's namespaces: nothing may start from there, whatever the options say, and no other job is tried.
TEST_F(Extras, HalfOfTheNamespacesIsARefusal)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    const Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    FakeStepd& older = start(6);
    std::this_thread::sleep_for(20ms);
    (void)start(7, {.version = release_26_05, .namespaces = {{CLONE_NEWNS, offered.get()}, {CLONE_NEWUTS, file.get()}}});
    for (const char* option : {"strict=0", "strict=1", "action_adopt_failure=allow"}) {
        const Outcome outcome = log_in({.options = {option}});
        expect(option, outcome,
               {"perm_denied",
                {"warning job 7: namespaces: setns: Invalid argument",
                 decided("notice deny namespace_join", 2, 7, "-", std::string(option) == "strict=1" ? "closed" : "open")},
                {adopt_failure_message("namespace_join")}});
        EXPECT_EQ(outcome.mount_namespace, name) << "or this test shows nothing";
    }
    EXPECT_EQ(older.seen().adopt, 0);
}

// The session phase could not know of them.
TEST_F(Extras, NamespacesThatCannotBeNotedAreARefusal)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    (void)start(7, {.version = release_26_05, .namespaces = {{CLONE_NEWNS, offered.get()}}});
    const Outcome outcome = log_in({.set_data_result = PAM_BUF_ERR});
    EXPECT_EQ(outcome.mount_namespace, name) << "or this test shows nothing";
    EXPECT_EQ(outcome.code, "perm_denied") << "Slurm's default would let in";
    ASSERT_FALSE(outcome.log.empty());
    EXPECT_EQ(outcome.log.back(), decided("notice deny out_of_memory", 1, 7, "-", "open"));
}

TEST_F(Extras, NothingIsJoinedWhereTheAdoptionFailed)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    for (const StepdScript& script : {StepdScript{.adopt_result = -1, .namespaces = {{CLONE_NEWNS, offered.get()}}},
                                      StepdScript{.moves = false, .namespaces = {{CLONE_NEWNS, offered.get()}}}}) {
        Node node;
        (void)node.start(7, script);
        EXPECT_NE(log_in({}).mount_namespace, name);
    }
}

}  // namespace
}  // namespace slurm_adopt::test
