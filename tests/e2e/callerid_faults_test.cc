// SPDX-License-Identifier: GPL-2.0-or-later
// The helper cannot be asked, or is not what it should be: the source is unknown, in time, and the log says why.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <regex>
#include <sstream>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int callerid_timeout = 1;
// What a login takes without any helper, and then some for a busy machine.
constexpr milliseconds plain_login{2000};

std::string directory_of_fakes()
{
    const std::string directory = cluster().directory + "/fakes";
    std::filesystem::create_directory(directory);
    return directory;
}

std::string fake(const std::string& name, const std::string& script)
{
    const std::string path = directory_of_fakes() + '/' + name;
    write_whole(path, "#!/bin/sh\n" + script + '\n');
    (void)::chmod(path.c_str(), 0755);
    return path;
}

std::vector<std::string> stack_with(const std::string& helper, const std::string& options = {})
{
    const std::string timeout = options.find("callerid_timeout=") == std::string::npos ? " callerid_timeout=" + std::to_string(callerid_timeout) : "";
    return sshd_stack({account_line("strict log_level=verbose helper=" + helper + timeout + ' ' + options)});
}

std::string status_of(const std::string& pid, const std::string& key)
{
    std::istringstream lines(read_whole("/proc/" + pid + "/status"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(key + ":\t")) return line.substr(key.size() + 2);
    return {};
}

// alice has two jobs, bob one.
class CallerIdFaults : public ::testing::Test {
protected:
    static void SetUpTestSuite()
    {
        first_ = std::make_unique<NodesJob>("alice", std::vector<std::string>{"n1", "n2"});
        second_ = std::make_unique<NodesJob>("alice", std::vector<std::string>{"n1", "n2"});
        only_ = std::make_unique<NodesJob>("bob", std::vector<std::string>{"n1", "n2"});
    }
    static void TearDownTestSuite()
    {
        first_.reset();
        second_.reset();
        only_.reset();
    }

    static Finished login(NodesJob& from) { return from.run("ssh -oBatchMode=yes n2 " + where); }

    // One login of each, by the stack as it is.
    static void expect_unknown(const std::string& name, const std::string& said)
    {
        const LogMark mark;
        const Finished session = login(*first_);
        EXPECT_EQ(job_on("n2", session.out), second_->id()) << name << ": " << session.err;
        EXPECT_LT(session.took, seconds{callerid_timeout} + plain_login) << name;
        EXPECT_EQ(mark.decision("alice")["reason"], "newest_job") << name;
        std::string text;
        for (const std::string& line : mark.lines_with("source unknown: ")) text += line + '\n';
        EXPECT_TRUE(std::regex_search(text, std::regex("source unknown: .*" + said))) << name << " is not said to be " << said << ":\n" << text;

        const LogMark mark_of_one;
        const Finished one = login(*only_);
        EXPECT_EQ(job_on("n2", one.out), only_->id()) << name << ": " << one.err;
        EXPECT_LT(one.took, plain_login) << name;
        EXPECT_EQ(mark_of_one.decision("bob")["reason"], "one_job") << name;
        for (const std::string& line : mark_of_one.lines_with("")) EXPECT_EQ(line.find("source unknown"), std::string::npos) << line;
    }

    static std::unique_ptr<NodesJob> first_, second_, only_;
};

std::unique_ptr<NodesJob> CallerIdFaults::first_, CallerIdFaults::second_, CallerIdFaults::only_;

TEST_F(CallerIdFaults, AHelperThatMayNotBeRun)
{
    const std::string directory = directory_of_fakes();
    const std::string foreign = fake("foreign", "exit 0");
    (void)!::chown(foreign.c_str(), 2001, 2001);
    const std::string writable = fake("writable", "exit 0");
    (void)::chmod(writable.c_str(), 0775);
    const std::string not_executable = fake("not_executable", "exit 0");
    (void)::chmod(not_executable.c_str(), 0644);
    std::filesystem::create_symlink(helper_copy(), directory + "/link");
    std::filesystem::create_directory(directory + "/open");
    (void)::chmod((directory + "/open").c_str(), 0777);
    std::filesystem::copy_file(helper_copy(), directory + "/open/helper");
    const struct {
        std::string path;
        std::string said;
    } cases[] = {
        {directory + "/missing", "helper: .*missing: No such file"},
        {directory, "not a regular file"},
        {directory + "/link", "not a regular file"},
        {foreign, "not owned by root"},
        {writable, "writable by others than root"},
        {directory + "/open/helper", "writable by others than root"},
    };
    for (const auto& each : cases) {
        const Stack sshd("sshd", stack_with(each.path));
        expect_unknown(each.path, each.said);
    }
    const Stack sshd("sshd", stack_with(not_executable));
    expect_unknown(not_executable, "Permission denied");
}

TEST_F(CallerIdFaults, AHelperThatFails)
{
    const struct {
        const char* name;
        const char* script;
        const char* said;
    } cases[] = {
        {"crashing", "kill -SEGV $$", "killed by signal 11"},
        {"exiting", "exit 1", "exited with 1"},
        {"silent", "exit 0", "exited with 0"},
        {"hanging", "exec sleep 1000", "killed at its deadline"},
        {"dripping", "while :; do printf x >&3; sleep 0.02; done", "killed at its deadline"},
        {"garbage", "head -c 4096 /dev/urandom >&3", "helper .*garbage"},
        {"endless", "exec cat /dev/zero >&3", "helper .*endless"},
        {"huge", "head -c 1000000000 /dev/zero >&3", "helper .*huge"},
        {"short", "printf 1HAS >&3", "exited with 0"},
        {"not_a_program", "", ""},
    };
    for (const auto& each : cases) {
        const std::string path = fake(each.name, each.script);
        if (std::string_view(each.name) == "not_a_program") write_whole(path, "\x7f" "ELFnonsense");
        const Stack sshd("sshd", stack_with(path));
        expect_unknown(each.name, *each.said == '\0' ? "exited with 127" : each.said);
    }
}

TEST_F(CallerIdFaults, AHelperThatLeavesAChildBehind)
{
    const std::string list = directory_of_fakes() + "/left";
    const Stack sshd("sshd", stack_with(fake("leaving", "sleep 1000 & echo $! >>" + list + "; exit 1")));
    expect_unknown("leaving", "exited with 1");
    // Its end of the socket is open in the child: nobody waits for that.
    const Stack patient("sshd", stack_with(fake("leaving", "sleep 1000 & echo $! >>" + list + "; exit 1"), "callerid_timeout=8"));
    EXPECT_LT(login(*first_).took, plain_login);
    std::istringstream pids(read_whole(list));
    int left = 0;
    for (std::string pid; std::getline(pids, pid); ++left)
        EXPECT_TRUE(eventually([&] { return read_whole("/proc/" + pid + "/cmdline").empty(); }, seconds{2})) << pid << " lives on";
    EXPECT_EQ(left, 2);
}

// Processes that put themselves in here hang in the kernel (state D) and cannot be killed until it is thawed. The name is
// one that cluster.sh thaws and removes, whatever becomes of this program.
class Freezer {
public:
    Freezer() : directory_("/sys/fs/cgroup/freezer/slurm_" + node_name("n1") + ".frozen")
    {
        std::filesystem::create_directory(directory_);
        write_whole(directory_ + "/freezer.state", "FROZEN");
    }
    ~Freezer()
    {
        write_whole(directory_ + "/freezer.state", "THAWED");
        (void)eventually([this] { return ::rmdir(directory_.c_str()) == 0; });
    }
    Freezer(const Freezer&) = delete;
    Freezer& operator=(const Freezer&) = delete;

    const std::string& directory() const { return directory_; }
    std::string processes() const { return read_whole(directory_ + "/cgroup.procs"); }

private:
    std::string directory_;
};

TEST_F(CallerIdFaults, AHelperThatCannotBeKilled)
{
    std::string pid;
    {
        const Freezer freezer;
        const Stack sshd("sshd", stack_with(fake("frozen", "echo $$ >" + freezer.directory() + "/cgroup.procs; exit 0")));
        const LogMark mark;
        expect_unknown("frozen", "hangs in the kernel");
        const Decision decision = mark.decision("alice");
        ASSERT_NE(decision["ms"], "") << decision.line;
        EXPECT_LT(std::stod(decision["ms"]), callerid_timeout * 1000 + 250.0) << decision.line;
        pid = freezer.processes();
        ASSERT_NE(pid, "") << "nothing was frozen";
        pid.pop_back();
        EXPECT_TRUE(status_of(pid, "State").starts_with("D")) << status_of(pid, "State");
    }
    EXPECT_TRUE(eventually([&] { return read_whole("/proc/" + pid + "/cmdline").empty(); })) << "killed as soon as that was possible";
}

TEST_F(CallerIdFaults, WithoutMunge)
{
    const Stack sshd("sshd", stack_with(helper_copy()));
    const Stopped munged("munged");
    expect_unknown("no munge", "munge does not run");
    // libslurm alone would try for two seconds, in silence.
    const Stack patient("sshd", stack_with(helper_copy(), "callerid_timeout=8"));
    const LogMark mark;
    const Finished session = login(*first_);
    EXPECT_EQ(job_on("n2", session.out), second_->id());
    EXPECT_LT(session.took, plain_login + milliseconds{400});
    EXPECT_FALSE(mark.lines_with("source unknown: munge does not run").empty());
    const auto says = [&mark] {
        for (const std::string& line : mark.lines())
            if (line.find("slurm-adopt-helper") != std::string::npos && line.find("munge.socket.2: No such file") != std::string::npos) return true;
        return false;
    };
    EXPECT_TRUE(eventually(says, seconds{3}));
}

TEST_F(CallerIdFaults, WithoutAUsableSlurmConf)
{
    const std::string broken = directory_of_fakes() + "/broken.conf";
    write_whole(broken, "ClusterName=x\nThis is = no slurm.conf\n");
    for (const std::string& path : {broken, directory_of_fakes() + "/none.conf"}) {
        const Stack sshd("sshd", stack_with(helper_copy(), "slurm_conf=" + path));
        expect_unknown(path, "could not read slurm.conf");
    }
}

TEST_F(CallerIdFaults, TheEnvironmentOfSshdChangesNothing)
{
    const Stack sshd("sshd", stack_with(helper_copy()));
    const auto restart = [](const std::string& conf) {
        return run({.argv = {cluster().control, "restart", "sshd.n2"}, .environment = {{"SLURM_CONF", conf}}});
    };
    ASSERT_TRUE(restart("/evil").ok());
    EXPECT_EQ(job_on("n2", login(*first_).out), first_->id());
    EXPECT_EQ(job_on("n2", login(*second_).out), second_->id());
    ASSERT_TRUE(restart("/etc/slurm/slurm.conf").ok());
}

// What a session's process at root's end of sshd is like, while the session lasts.
struct Monitor {
    std::size_t descriptors = 0;
    std::size_t zombies = 0;
    std::string signals;  // the lines SigBlk, SigIgn, SigCgt
};

Monitor monitor_of(const Command& login)
{
    Background session(login);
    Monitor monitor;
    if (!session.says("PARENT=")) return monitor;
    std::string parent = session.output();
    parent = parent.substr(parent.find("PARENT=") + 7);
    const std::string pid = status_of(std::to_string(std::atoi(parent.c_str())), "PPid");
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fd")) ++monitor.descriptors;
    for (const char* key : {"SigBlk", "SigIgn", "SigCgt"}) monitor.signals += status_of(pid, key) + ' ';
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string number = entry.path().filename();
        if (status_of(number, "PPid") == pid && status_of(number, "State").starts_with('Z')) ++monitor.zombies;
    }
    return monitor;
}

TEST_F(CallerIdFaults, SshdIsLeftAsItWas)
{
    const auto login_of = [](const std::string& user) { return ssh_between("n1", user, "n2", "echo PARENT=$PPID; exec sleep 100"); };
    const std::string helpers[] = {helper_copy(), fake("gone", "exit 1"), fake("dead", "kill -KILL $$"), fake("stuck", "exec sleep 1000"),
                                   fake("noisy", "exec cat /dev/zero >&3"), "/nowhere/helper"};
    for (const std::string& helper : helpers) {
        const Stack sshd("sshd", stack_with(helper));
        const Monitor unasked = monitor_of(login_of("bob"));
        ASSERT_GT(unasked.descriptors, 0U);
        const Monitor asked = monitor_of(login_of("alice"));
        EXPECT_EQ(asked.descriptors, unasked.descriptors) << helper;
        EXPECT_EQ(asked.zombies, 0U) << helper;
        EXPECT_EQ(asked.signals, unasked.signals) << helper;
    }
}

}  // namespace
}  // namespace slurm_adopt::e2e
