// SPDX-License-Identifier: GPL-2.0-or-later
// runtime_dir=1: a private XDG_RUNTIME_DIR, by real sessions of a real sshd.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <cstdlib>
#include <filesystem>

#include "cluster.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

namespace fs = std::filesystem;

const std::string base = "/run/slurm-adopt";

class RuntimeDirSession : public ::testing::Test {
protected:
    static std::vector<std::string> stack(const std::string& options, const std::string& before_ours = {})
    {
        auto lines = sshd_stack({account_line("strict " + options)});
        if (!before_ours.empty()) lines.push_back(before_ours);
        lines.push_back("session required " + cluster().module + " strict " + options);
        return lines;
    }

    // A session that lives until it is told to end. "ready" when its shell runs.
    static Command session()
    {
        return ssh_command("alice", "echo monitor=$(ps -o ppid= -p $PPID) ready; read line");
    }

    static bool comes_to_an_end(Background& session)
    {
        session.end_input();
        return session.wait().code != 124;
    }

    void TearDown() override
    {
        // After the last session nothing of it is left, whatever the test did.
        EXPECT_FALSE(fs::exists(users)) << "left behind";
        EXPECT_EQ(read_whole("/proc/self/mounts").find(base), std::string::npos) << "left mounted";
        (void)::umount2(users.c_str(), MNT_DETACH);
        std::error_code ignored;
        fs::remove_all(base, ignored);
    }

    const std::string users = base + "/user/2001";
};

TEST_F(RuntimeDirSession, IsTheUsersAloneAndGoesWithTheSession)
{
    const Stack sshd("sshd", stack("runtime_dir=1"));
    const Job job = Job::allocate("alice");
    const Finished seen = ssh("alice", "echo $XDG_RUNTIME_DIR; stat -c '%U %G %a' $XDG_RUNTIME_DIR; stat -f -c %T $XDG_RUNTIME_DIR; "
                                       "touch $XDG_RUNTIME_DIR/mine && echo mine; cd " + base + "/user && touch other || echo refused");
    EXPECT_EQ(seen.out, users + "\nalice alice 700\ntmpfs\nmine\nrefused\n") << seen.err;
    EXPECT_TRUE(eventually([&] { return !fs::exists(users); })) << "sshd closes the session after the client is gone";
}

TEST_F(RuntimeDirSession, StaysUntilTheLastOfTwoSessions)
{
    const Stack sshd("sshd", stack("runtime_dir=1"));
    const Job job = Job::allocate("alice");
    Background first(session());
    ASSERT_TRUE(first.says("ready"));
    Background second(session());
    ASSERT_TRUE(second.says("ready"));
    write_whole(users + "/kept", "by the first");

    ASSERT_TRUE(comes_to_an_end(first));
    // The third comes when the first is surely closed: one monitor is left for the second.
    EXPECT_EQ(ssh("alice", "cat $XDG_RUNTIME_DIR/kept").out, "by the first");
    EXPECT_TRUE(fs::exists(users + "/kept"));
    ASSERT_TRUE(comes_to_an_end(second));
    EXPECT_TRUE(eventually([&] { return !fs::exists(users); }));
}

TEST_F(RuntimeDirSession, OfAKilledSessionIsGoneWithTheNextLogin)
{
    const Stack sshd("sshd", stack("runtime_dir=1"));
    Job job = Job::allocate("alice");
    Background killed(session());
    ASSERT_TRUE(killed.says("ready"));
    write_whole(users + "/old", "");
    const std::string said = killed.output();
    const pid_t monitor = std::atoi(said.substr(said.find('=') + 1).c_str());
    ASSERT_GT(monitor, 1) << said;
    ASSERT_EQ(::kill(monitor, SIGKILL), 0) << "slurmstepd does it when the job ends, but may ask first";
    job.cancel();
    ASSERT_NE(killed.wait().code, 124) << "the rest of the session ends with the job";
    EXPECT_TRUE(fs::exists(users)) << "nobody was left to remove it";

    // Anybody's.
    const Job bobs = Job::allocate("bob");
    EXPECT_EQ(ssh("bob", "echo $XDG_RUNTIME_DIR").out, base + "/user/2002\n");
    EXPECT_TRUE(eventually([&] { return !fs::exists(users) && !fs::exists(base + "/user/2002"); }));
}

TEST_F(RuntimeDirSession, IsNotMadeWherePamSystemdHasGivenOne)
{
    const std::string theirs = cluster().directory + "/theirs";
    const std::string conf = cluster().directory + "/env.conf";
    write_whole(conf, "XDG_RUNTIME_DIR DEFAULT=" + theirs + "\n");
    const Stack sshd("sshd", stack("runtime_dir=1", "session required pam_env.so conffile=" + conf));
    const Job job = Job::allocate("alice");
    EXPECT_EQ(ssh("alice", "echo $XDG_RUNTIME_DIR").out, theirs + "\n");
    EXPECT_FALSE(fs::exists(users));
}

TEST_F(RuntimeDirSession, IsOnlyForWhoAsksAndForWhoIsInAJob)
{
    const Job job = Job::allocate("alice");
    {
        const Stack sshd("sshd", stack(""));
        EXPECT_EQ(ssh("alice", "echo ${XDG_RUNTIME_DIR-none}").out, "none\n");
    }
    const Stack sshd("sshd", stack("runtime_dir=1 action_no_jobs=ignore"));
    EXPECT_EQ(ssh("bob", "echo ${XDG_RUNTIME_DIR-none}").out, "none\n");
    EXPECT_FALSE(fs::exists(base));
}

TEST_F(RuntimeDirSession, APlantedLinkIsRefusedAndTheSessionGoesOn)
{
    const Stack sshd("sshd", stack("runtime_dir=1"));
    const Job job = Job::allocate("alice");
    const std::string elsewhere = cluster().directory + "/elsewhere";
    fs::create_directories(elsewhere);
    const auto in_vain = [&](const char* what) {
        const LogMark mark;
        const Finished seen = ssh("alice", "echo ${XDG_RUNTIME_DIR-none}; cat /proc/self/cgroup");
        EXPECT_TRUE(seen.out.starts_with("none\n")) << what << ": " << seen.out << seen.err;
        EXPECT_EQ(job_in(seen.out), job.id()) << what;
        EXPECT_EQ(mark.lines_with("no XDG_RUNTIME_DIR: ").size(), 1U) << what;
        EXPECT_TRUE(fs::is_empty(elsewhere)) << what;
    };
    fs::create_directory_symlink(elsewhere, base);
    in_vain("the base");
    fs::remove(base);
    fs::create_directory(base);
    fs::create_directory_symlink(elsewhere, base + "/user");
    in_vain("the directory of the users' directories");
    fs::remove(base + "/user");
    // Below root's directories only root could plant one; a leftover, then.
    fs::create_directory(base + "/user");
    fs::create_directory_symlink(elsewhere, users);
    EXPECT_EQ(ssh("alice", "stat -c '%F %U' $XDG_RUNTIME_DIR").out, "directory alice\n");
    EXPECT_TRUE(fs::is_empty(elsewhere));
    EXPECT_TRUE(eventually([&] { return !fs::exists(users); }));
}

}  // namespace
}  // namespace slurm_adopt::e2e
