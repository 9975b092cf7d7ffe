// SPDX-License-Identifier: GPL-2.0-or-later
// Helpers that do everything wrong. The real one is in tests/helper and tests/e2e.
#include "slurm_adopt/helper_client.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/child.h"
#include "slurm_adopt/helper_wire.h"
#include "support/descriptors.h"
#include "support/frozen.h"
#include "support/no_child_left.h"

namespace slurm_adopt {
namespace {

using namespace std::chrono_literals;
using test::expect_no_child_left;
using test::open_descriptors;

class HelperClient : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) FAIL() << "needs root: helpers must be root's";
        char name[] = "/tmp/slurm-adopt-helper.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        directory_ = name;
        ASSERT_EQ(::chmod(name, 0755), 0);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string script(const std::string& body)
    {
        const std::string path = directory_ + "/helper";
        std::ofstream(path) << "#!/bin/sh\n" << body << '\n';
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        return path;
    }

    struct Outcome {
        std::string error;  // empty: answered
        std::chrono::milliseconds took{0};
    };

    static Outcome ask(const std::string& program, std::chrono::milliseconds limit = 500ms, const std::string& slurm_conf = "")
    {
        const auto begin = std::chrono::steady_clock::now();
        const auto answer = ask_source_job({program, slurm_conf, LogLevel::info}, {}, Deadline::after(limit));
        const auto took = std::chrono::steady_clock::now() - begin;
        return {answer ? "" : answer.error().context, std::chrono::duration_cast<std::chrono::milliseconds>(took)};
    }

    std::string directory_;
};

TEST_F(HelperClient, EveryWayToFailIsAnErrorInTime)
{
    const auto before = open_descriptors();
    struct Case {
        const char* body;
        const char* said;
    };
    for (const Case& each : {Case{"exit 1", "exited with 1"}, Case{"kill -SEGV $$", "killed by signal 11"}, Case{"exit 0", "exited with 0"},
                             Case{"sleep 60", "killed at its deadline"}, Case{"while :; do printf x >&3; sleep 0.1; done", "killed at its deadline"},
                             Case{"head -c 4000 /dev/zero >&3", "helper"}, Case{"cat /dev/zero >&3", "helper"},
                             Case{"exec 3>&-; sleep 60", "helper"}, Case{"printf 'SAH1 this is not a reply' >&3", "helper"},
                             Case{"(sleep 2 &) ; exit 3", "exited with 3"}}) {
        const Outcome outcome = ask(script(each.body));
        EXPECT_NE(outcome.error.find(each.said), std::string::npos) << each.body << ": " << outcome.error;
        EXPECT_LT(outcome.took, 1500ms) << each.body;
        expect_no_child_left();
    }
    EXPECT_EQ(open_descriptors(), before);
}

// The pids that scripts have written into a file, once they have.
std::vector<pid_t> pids_in(const std::string& path)
{
    std::ifstream file(path);
    std::vector<pid_t> pids;
    for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
    return pids;
}

// Somebody else reaps it: until then it is a zombie.
bool is_dead(pid_t pid)
{
    for (int i = 0; i < 200; ++i) {
        std::ostringstream text;  // stays empty where reading fails, because the process has just gone
        text << std::ifstream("/proc/" + std::to_string(pid) + "/stat").rdbuf();
        const std::string stat = text.str();
        if (stat.empty() || stat.find(") Z ") != std::string::npos) return true;
        ::usleep(5'000);
    }
    return false;
}

TEST_F(HelperClient, WhatTheHelperStartedEndsWithIt)
{
    const std::string list = directory_ + "/pids";
    const std::string leave = "sleep 60 & echo $! >>" + list + "; ";
    // Its end of the socket stays open in the child, and nobody waits for that.
    for (const char* end : {"exit 4", "kill -KILL $$"}) {
        const Outcome outcome = ask(script(leave + end), 2000ms);
        EXPECT_LT(outcome.took, 500ms) << end << ": " << outcome.error;
    }
    EXPECT_NE(ask(script(leave + "exit 4"), 2000ms).error.find("exited with 4"), std::string::npos);
    EXPECT_NE(ask(script(leave + "sleep 60"), 300ms).error.find("killed at its deadline"), std::string::npos);
    // Killed, but it is the kernel that ends them, in its own time.
    const auto pids = pids_in(list);
    EXPECT_EQ(pids.size(), 4U);
    for (const pid_t pid : pids) EXPECT_TRUE(is_dead(pid)) << pid;
    // One that has left the group is not known; it holds up the login for a moment only.
    const Outcome left = ask(script("setsid sleep 3 & sleep 0.1; exit 5"), 2000ms);
    EXPECT_NE(left.error.find("exited with 5"), std::string::npos) << left.error;
    EXPECT_LT(left.took, 700ms);
    expect_no_child_left();
}

TEST_F(HelperClient, OneThatCannotBeKilledIsLeftBehind)
{
    {
        const test::Frozen frozen;
        if (!frozen.works()) GTEST_SKIP() << "no freezer of cgroup v1 here";
        const Outcome outcome = ask(script("echo $$ >" + frozen.directory() + "/cgroup.procs; exit 0"), 300ms);
        EXPECT_NE(outcome.error.find("hangs in the kernel"), std::string::npos) << outcome.error;
        EXPECT_GE(outcome.took, 300ms);
        EXPECT_LT(outcome.took, 600ms);
    }
    // Now it dies of the signal it was sent.
    EXPECT_GT(::waitpid(-1, nullptr, 0), 0);
    expect_no_child_left();
}

TEST_F(HelperClient, OnlyRootsOwnProgramIsRun)
{
    const std::string path = script("touch " + directory_ + "/ran");
    const auto expect_refused = [&](const std::string& program, const char* said) {
        const Outcome outcome = ask(program);
        EXPECT_NE(outcome.error.find(said), std::string::npos) << outcome.error;
        EXPECT_FALSE(std::filesystem::exists(directory_ + "/ran")) << said;
    };
    expect_refused(directory_ + "/missing", "No such file");
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    expect_refused(path, "Permission denied");
    ASSERT_EQ(::chmod(path.c_str(), 0775), 0);
    expect_refused(path, "writable by others");
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
    ASSERT_EQ(::chown(path.c_str(), 1, 0), 0);
    expect_refused(path, "not owned by root");
    ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
    ASSERT_EQ(::chmod(directory_.c_str(), 0777), 0);
    expect_refused(path, "writable by others");
    ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
    std::filesystem::create_symlink(path, directory_ + "/link");
    expect_refused(directory_ + "/link", "not a regular file");
    expect_refused(directory_, "/tmp: writable by others");
}

TEST_F(HelperClient, IsNotStartedForAQuestionThatItWouldRefuse)
{
    const std::string path = script("touch " + directory_ + "/ran");
    EXPECT_FALSE(ask_step_starts({path, "", LogLevel::info}, std::vector<pid_t>(65, 1), Deadline::after(500ms)));
    EXPECT_FALSE(ask_step_starts({path, "", LogLevel::info}, {1, 0}, Deadline::after(500ms)));
    EXPECT_FALSE(std::filesystem::exists(directory_ + "/ran"));
    EXPECT_FALSE(ask_step_starts({path, "", LogLevel::info}, {1, 2}, Deadline::after(500ms)));
    EXPECT_TRUE(std::filesystem::exists(directory_ + "/ran")) << "what is asked properly is asked";
}

TEST_F(HelperClient, StartsWithNothingOfOurs)
{
    ASSERT_EQ(::setenv("SLURM_CONF", "/evil", 1), 0);
    ASSERT_EQ(::setenv("LD_PRELOAD", "", 1), 0);
    const int leaked = ::fcntl(0, F_DUPFD, 20);  // without close-on-exec
    const std::string out = directory_ + "/out";
    (void)ask(script("tr '\\0' '\\n' </proc/self/environ >" + out + "; ls /proc/$$/fd >>" + out + "; while read line; do echo \"$line\"; done </proc/self/status >>" +
                     out + "; links=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); echo \"$links\" >>" + out),
              2000ms, "/etc/slurm/other.conf");
    ::close(leaked);
    ::unsetenv("SLURM_CONF");
    std::ifstream file(out);
    const std::string seen{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(seen.find("/evil"), std::string::npos) << seen;
    EXPECT_NE(seen.find("SLURM_CONF=/etc/slurm/other.conf\n"), std::string::npos) << seen;
    EXPECT_NE(seen.find("/dev/null\n/dev/null\n/dev/null\n"), std::string::npos) << seen;
    EXPECT_NE(seen.find("SigIgn:\t0000000000000000"), std::string::npos) << seen;
    EXPECT_NE(seen.find("SigBlk:\t0000000000000000"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("\n" + std::to_string(leaked) + "\n"), std::string::npos) << "descriptor " << leaked << " in\n" << seen;
}

TEST_F(HelperClient, TheHostsSignalsAndChildrenAreItsOwn)
{
    static int child_signals;
    child_signals = 0;
    struct sigaction count {};
    count.sa_handler = [](int) { ++child_signals; };
    struct sigaction before {};
    ASSERT_EQ(::sigaction(SIGCHLD, &count, &before), 0);
    (void)ask(script("exit 1"));
    (void)ask(script("sleep 60"), 200ms);
    EXPECT_EQ(child_signals, 0) << "the host's handler heard of our child";
    struct sigaction after {};
    ASSERT_EQ(::sigaction(SIGCHLD, nullptr, &after), 0);
    EXPECT_EQ(after.sa_handler, count.sa_handler);

    // With SIGCHLD ignored the kernel reaps children by itself: ours is still ours.
    count.sa_handler = SIG_IGN;
    ASSERT_EQ(::sigaction(SIGCHLD, &count, nullptr), 0);
    EXPECT_NE(ask(script("exit 7")).error, "");
    expect_no_child_left();
    ASSERT_EQ(::sigaction(SIGCHLD, &before, nullptr), 0);
    // A child of the host's that ends while ours runs is not lost on the host.
    count.sa_handler = [](int) { ++child_signals; };
    ASSERT_EQ(::sigaction(SIGCHLD, &count, nullptr), 0);
    const pid_t of_the_host = ::fork();
    if (of_the_host == 0) {
        ::usleep(50'000);
        ::_exit(0);
    }
    (void)ask(script("sleep 60"), 300ms);
    EXPECT_GE(child_signals, 1);
    EXPECT_EQ(::waitpid(of_the_host, nullptr, 0), of_the_host);
    ASSERT_EQ(::sigaction(SIGCHLD, &before, nullptr), 0);
    sigset_t blocked;
    ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &blocked), 0);
    EXPECT_EQ(::sigismember(&blocked, SIGTERM), 0);
    EXPECT_EQ(::sigismember(&blocked, SIGCHLD), 0);
}

// A helper that answers with these bytes, whatever it was asked.
Result<SlurmConfig> ask_config(const std::string& directory, const std::string& program, const helper_wire::ConfigReply& reply)
{
    const auto bytes = helper_wire::encode(helper_wire::Verb::config, reply);
    std::ofstream(directory + "/reply", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return ask_slurm_config({program, "", LogLevel::info}, "", Deadline::after(2000ms));
}

TEST_F(HelperClient, SlurmConfComesBackAsItWasSaid)
{
    const std::string program = script("cat \"$(dirname \"$0\")/reply\" >&3");
    helper_wire::ConfigReply reply;
    reply.status = static_cast<std::uint32_t>(helper_wire::ConfigStatus::answered);
    reply.flags = helper_wire::flag_contain | helper_wire::flag_use_pam;
    const auto put = [](auto& field, std::string_view text) { std::copy(text.begin(), text.end(), field.begin()); };
    put(reply.task_plugin, "task/cgroup");
    put(reply.spool_dir, "/s");
    const auto nobody = ask_config(directory_, program, reply);
    ASSERT_TRUE(nobody.ok()) << nobody.error().context;
    EXPECT_TRUE(nobody.value().contain && !nobody.value().x11 && nobody.value().use_pam);
    EXPECT_EQ(nobody.value().task_plugin, "task/cgroup");
    EXPECT_EQ(nobody.value().launch_parameters, "");
    EXPECT_EQ(nobody.value().spool_dir, "/s");
    EXPECT_FALSE(nobody.value().own.has_value());
    reply.nodes = 2;
    reply.peer_count = 1;
    for (auto* node : {&reply.own, &reply.peers[0]}) {
        put(node->name, "n1");
        put(node->address, "198.51.100.1");
        node->port = 6818;
    }
    const auto both = ask_config(directory_, program, reply);
    ASSERT_TRUE(both.ok()) << both.error().context;
    EXPECT_EQ(both.value().own->address, "198.51.100.1");
    ASSERT_EQ(both.value().peers.size(), 1U);
    EXPECT_EQ(both.value().peers[0].port, 6818);
}

TEST_F(HelperClient, SlurmConfThatCannotBeHadSaysWhy)
{
    const std::string program = script("cat \"$(dirname \"$0\")/reply\" >&3");
    helper_wire::ConfigReply reply;
    EXPECT_EQ(ask_config(directory_, program, reply).error().context, "the helper could not find out");
    reply.status = static_cast<std::uint32_t>(helper_wire::ConfigStatus::no_config);
    EXPECT_EQ(ask_config(directory_, program, reply).error().context, "the helper could not read slurm.conf");
    reply.nodes = 1;
    EXPECT_FALSE(ask_config(directory_, program, reply).ok());
    EXPECT_NE(ask_slurm_config({script("exit 3"), "", LogLevel::info}, "", Deadline::after(500ms)).error().context.find("exited with 3"),
              std::string::npos);
    EXPECT_FALSE(ask_slurm_config({program, "", LogLevel::info}, std::string(256, 'n'), Deadline::after(500ms)).ok());
}

}  // namespace
}  // namespace slurm_adopt
