// SPDX-License-Identifier: GPL-2.0-or-later
// exempt_users= and exempt_groups= with lists in files, and exempt_adopt=. Names on the line itself: before_jobs_test.cc.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "node_test.h"
#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {
namespace {

class Exempt : public NodeTest {
protected:
    [[nodiscard]] std::string list(const std::string& text, unsigned mode = 0644) const
    {
        const std::string path = spool_.write("list", text);
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }
};

constexpr const char* users = "exempt_users=@";
constexpr const char* groups = "exempt_groups=@";

TEST_F(Exempt, ByALine)
{
    const std::string file = list("# on call\ncarol\nalice  # until monday\nghost\n");
    expect("listed", log_in({.options = {"strict", users + file}}), {"ignore", {}});
    expect("beside a name", log_in({.options = {"strict", "exempt_users=bob,@" + file}}), {"ignore", {}});
    expect("beside another list", log_in({.options = {"strict", "exempt_users=@" + spool_.write("empty", "") + ",@" + file}}), {"ignore", {}});
    expect("debug", log_in({.options = {"log_level=debug", users + file}}),
           {"ignore", {decided("debug ignore exempt_user", 0, 0, "-", "open")}});
    EXPECT_EQ(log_in({.user = "ghost", .options = {"strict", users + file}}).code, "ignore") << "as by a name on the line";
    EXPECT_EQ(log_in({.options = {"strict", users + file}, .phases = Phases::session}).code, "ignore");
    expect("not listed", log_in({.user = "bob", .options = {"strict", users + file}}),
           {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "closed", {.user = "bob", .uid = "41002"})}, {no_job_message}});
    for (const char* name : {"#", "until", "monday", "# on call", "", "@/x"})
        EXPECT_EQ(log_in({.user = name, .options = {"strict", "exempt_users=@/x,@" + file, "log_level=quiet"}}).code, "user_unknown") << name;
}

TEST_F(Exempt, ByAGroupOfALine)
{
    const std::string file = list("wheel\nadmins\n");
    expect("primary", log_in({.user = "carol", .options = {"strict", groups + file}}), {"ignore", {}});
    expect("supplementary", log_in({.user = "dave", .options = {"strict", groups + file}}), {"ignore", {}});
    expect("beside a name", log_in({.user = "dave", .options = {"strict", "exempt_groups=root,@" + file}}), {"ignore", {}});
    expect("no member", log_in({.options = {"strict", groups + file}}),
           {"perm_denied", {decided("notice deny no_jobs", 0, 0, "-", "closed")}, {no_job_message}});
    std::string many;
    for (int i = 0; i < 256; ++i) many += "g" + std::to_string(i) + '\n';
    const std::string too_many = list(many + "admins\n");
    const Who dave = {.user = "dave", .uid = "41004"};
    expect("too many", log_in({.user = "dave", .options = {"strict", groups + too_many}}),
           {"perm_denied",
            {"error exempt_groups: " + too_many + ": more than 256 groups: nobody is exempt by it",
             decided("notice deny no_jobs", 0, 0, "-", "closed", dave)},
            {no_job_message}});
    EXPECT_EQ(log_in({.user = "dave", .options = {"strict", groups + list(many.substr(3) + "admins\n")}}).code, "ignore");
}

TEST_F(Exempt, AnotherServiceReadsNoList)
{
    expect("service", log_in({.options = {"strict", "exempt_users=@/nowhere", "exempt_groups=@/nowhere"}, .service = "login"}), {"ignore", {}});
}

TEST_F(Exempt, NobodyByAListThatCannotBeTrusted)
{
    const std::string listed = "alice\nadmins\n";
    const std::string path = spool_ / "list";
    struct Case {
        const char* what;
        std::function<void()> prepare;
        std::string why;
    };
    const auto remove = [&] { std::filesystem::remove_all(path); };
    const std::vector<Case> cases = {
        {"none", remove, path + ": No such file or directory"},
        {"another owner", [&] { (void)list(listed); EXPECT_EQ(::chown(path.c_str(), alice, 0), 0); }, path + ": does not belong to root"},
        {"the group writes", [&] { (void)list(listed, 0664); }, path + ": others than root may write to it"},
        {"others write", [&] { (void)list(listed, 0646); }, path + ": others than root may write to it"},
        {"a directory", [&] { EXPECT_EQ(::mkdir(path.c_str(), 0755), 0); }, path + ": is no regular file"},
        {"a fifo", [&] { EXPECT_EQ(::mkfifo(path.c_str(), 0644), 0); }, path + ": is no regular file"},
        {"a link", [&] { std::filesystem::create_symlink(spool_.write("target", listed), path); },
         path + ": is a symbolic link: name the file itself"},
        {"too large", [&] { (void)list(listed + std::string(65536, '\n')); }, path + ": larger than expected"},
        {"a line with two", [&] { (void)list(listed + "bob carol\n"); }, path + ": line 3 is not one name: 'bob carol'"},
        {"terminal escapes", [&] { (void)list(listed + "\x1b]0;x\n"); }, path + ": line 3 is not one name: '?]0;x'"},
    };
    for (const Case& each : cases) {
        remove();
        each.prepare();
        const std::vector<std::string> lines = {"error exempt_users: " + each.why + ": nobody is exempt by it",
                                                decided("notice deny no_jobs", 0, 0, "-", "closed")};
        expect(each.what, log_in({.options = {"strict", users + path}}), {"perm_denied", lines, {no_job_message}});
        const Outcome by_group = log_in({.user = "dave", .options = {"strict", groups + path}});
        EXPECT_EQ(by_group.code, "perm_denied") << each.what;
        ASSERT_EQ(by_group.log.size(), 2U) << each.what;
        EXPECT_EQ(by_group.log[0], "error exempt_groups: " + each.why + ": nobody is exempt by it") << each.what;
        EXPECT_EQ(log_in({.options = {"strict", "exempt_users=@" + path + ",alice"}}).code, "ignore") << each.what << ": by another entry";
        EXPECT_EQ(log_in({.user = "root", .options = {"strict", users + path}}).code, "ignore") << each.what;
    }
    remove();
    EXPECT_EQ(log_in({.options = {"strict", users + list(listed + std::string(65536 - listed.size(), '\n'))}}).code, "ignore") << "the largest";
}

class ExemptAdopt : public Exempt {
protected:
    const std::vector<std::string> options_ = {"strict", "timeout=1", "exempt_users=alice", "exempt_adopt=1"};
    [[nodiscard]] std::vector<std::string> with(const std::string& option) const
    {
        auto options = options_;
        options.push_back(option);
        return options;
    }
};

TEST_F(ExemptAdopt, WhoHasAJobIsAdopted)
{
    FakeStepd& stepd = start(7);
    const Outcome outcome = log_in({.options = options_});
    expect("a job", outcome, {"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}});
    EXPECT_TRUE(is_in(outcome, stepd.cgroup()));
    FakeStepd& daves = start(8, {.uid = 41004});
    const Outcome by_group = log_in({.user = "dave", .options = {"strict", "exempt_groups=admins", "exempt_adopt=1"}});
    EXPECT_EQ(by_group.code, "success");
    EXPECT_TRUE(is_in(by_group, daves.cgroup()));
    EXPECT_EQ(log_in({.options = with("log_level=quiet"), .phases = Phases::both}).code, "success");
    const int before = stepd.seen().connections;
    EXPECT_EQ(log_in({.options = {"strict", "exempt_users=alice", "exempt_adopt=0"}}).code, "ignore");
    EXPECT_EQ(log_in({.options = with("log_level=quiet"), .service = "login"}).code, "ignore") << "another service is no exemption";
    EXPECT_EQ(stepd.seen().connections, before) << "who is left alone is not looked for";
}

TEST_F(ExemptAdopt, WhoHasNonePassesAtOnceAndUntold)
{
    (void)start(9, {.uid = bob});
    expect("no job", log_in({.options = options_}), {"ignore", {}});
    expect("debug", log_in({.options = with("log_level=debug")}), {"ignore", {decided("debug ignore exempt_user", 0, 0, "-", "closed")}});
    const Outcome waiting = log_in({.options = with("wait_for_job=5")});
    expect("no wait", waiting, {"ignore", {}});
    EXPECT_LT(waiting.milliseconds, 900);
    expect("both phases", log_in({.options = options_, .phases = Phases::both}), {"ignore", {}});
    expect("nobody the database knows", log_in({.user = "ghost", .options = {"strict", "exempt_users=ghost", "exempt_adopt=1"}}), {"ignore", {}});
    expect("no database", log_in({.user = "broken", .options = {"strict", "exempt_users=broken", "exempt_adopt=1"}}), {"ignore", {}});
    EXPECT_EQ(log_in({.user = "bob", .options = with("action_unknown=deny")}).code, "success") << "who is not exempt";
    EXPECT_EQ(log_in({.user = "carol", .options = options_}).code, "perm_denied") << "who is not exempt";
}

TEST_F(ExemptAdopt, WhereItFailsThePassIsStillOne)
{
    struct Case {
        const char* what;
        StepdScript script;
    };
    for (const Case& each : {Case{"refuses", {.adopt_result = -1, .moves = false}}, Case{"moves nobody", {.moves = false}},
                             Case{"hangs", {.moves = false, .fault = Fault::hang, .at = Step::adopt}},
                             Case{"says nothing", {.fault = Fault::hang, .at = Step::version}}}) {
        Node node;
        (void)node.start(7, each.script);
        const Outcome outcome = log_in({.options = options_});
        EXPECT_EQ(outcome.code, "ignore") << each.what;
        EXPECT_TRUE(outcome.told.empty()) << each.what;
        EXPECT_EQ(outcome.complaints, "") << each.what;
        ASSERT_FALSE(outcome.log.empty()) << each.what;
        EXPECT_EQ(outcome.log.back().find("warning alice is exempt, and passed without being adopted: adopt_"), 0U) << each.what << ": " << outcome.log.back();
        EXPECT_EQ(log_in({.options = {"strict", "timeout=1"}}).code, "perm_denied") << each.what;
    }
    Node node;
    (void)node.start(7);
    (void)node.start(8);
    expect("several jobs, and none to be taken", log_in({.options = with("action_unknown=deny")}),
           {"ignore", {"info alice is exempt, and passed without being adopted: unknown_job"}});
    EXPECT_EQ(log_in({.options = with("action_unknown=allow")}).code, "ignore") << "allow is for who is not exempt";
    expect("no list of steps", log_in({.options = with("spool_dir=/nowhere")}),
           {"ignore", {"error cannot list the extern steps: /nowhere: No such file or directory",
                       "warning alice is exempt, and passed without being adopted: sockets_unreadable"}});
}

// A session there could not go on: it would end with a job that it is not in, or keep one from ending.
TEST_F(ExemptAdopt, NotInAStepThatIsEnding)
{
    (void)start(7, {.adopted_state = 3});
    EXPECT_EQ(log_in({.options = options_}).code, "perm_denied");
}

TEST_F(ExemptAdopt, NotInSomeOfTheNamespacesOfAJob)
{
    const Fd host(::open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
    const Fd none(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    {
        Node node;
        (void)node.start(7, {.version = release_26_05, .namespaces = {{CLONE_NEWNS, none.get()}}});
        EXPECT_EQ(log_in({.options = options_}).code, "ignore") << "none was joined";
    }
    (void)start(7, {.version = release_26_05, .namespaces = {{CLONE_NEWUTS, host.get()}, {CLONE_NEWNS, none.get()}}});
    EXPECT_EQ(log_in({.options = options_}).code, "perm_denied");
}

}  // namespace
}  // namespace slurm_adopt::test
