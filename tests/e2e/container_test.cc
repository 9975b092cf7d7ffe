// SPDX-License-Identifier: GPL-2.0-or-later
// job_container/tmpfs: jobs with a /tmp of their own. Runs in a cluster started with --tmpfs.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <sys/mount.h>

#include <filesystem>

#include "cluster.h"
#include "fake_stepd.h"
#include "foretold.h"
#include "job.h"
#include "login.h"

namespace slurm_adopt::e2e {
namespace {

TEST(Container, TheSessionSeesTheJobsPrivateTmp)
{
    const Job job = Job::batch("alice", "echo from the job > /tmp/mark");
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    Finished session;
    EXPECT_TRUE(eventually([&] { return (session = ssh("alice", "cat /tmp/mark")).ok(); })) << session.err;
    EXPECT_EQ(session.out, "from the job\n");
    EXPECT_FALSE(std::filesystem::exists("/tmp/mark")) << "the node's own /tmp";
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(job.id()));

    EXPECT_EQ(ssh("alice", "echo from a session > /tmp/other").code, 0);
    EXPECT_EQ(ssh("alice", "cat /tmp/other").out, "from a session\n");
    EXPECT_FALSE(std::filesystem::exists("/tmp/other"));
}

TEST(Container, TwoUsersTwoTmps)
{
    const Job alices = Job::allocate("alice");
    const Job bobs = Job::allocate("bob");
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    EXPECT_EQ(ssh("alice", "touch /tmp/alice").code, 0);
    EXPECT_EQ(ssh("bob", "touch /tmp/bob; ls /tmp").out, "bob\n");
    EXPECT_EQ(ssh("alice", "ls /tmp").out, "alice\n");
}

TEST(Container, NotJoinedWhenToldNotTo)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", sshd_stack({account_line("strict join_container=false")}));
    write_whole("/tmp/of-the-node", "here");
    EXPECT_EQ(ssh("alice", "cat /tmp/of-the-node").out, "here");
    EXPECT_EQ(ssh_job("alice"), static_cast<int>(job.id()));
    std::filesystem::remove("/tmp/of-the-node");
}

TEST(Container, RootAndTheRefusedStayOutside)
{
    const Job job = Job::allocate("alice");
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    const std::string own = std::filesystem::read_symlink("/proc/self/ns/mnt");
    EXPECT_EQ(ssh("root", "readlink /proc/self/ns/mnt").out, own + "\n");
    EXPECT_NE(ssh("alice", "readlink /proc/self/ns/mnt").out, own + "\n");
}

// A namespace that slurmstepd offers and nobody can join.
void expect_failed_join(const LogMark& mark)
{
    const NotForetold not_foretold("explain enters no namespace");
    const Login strict = pam_login("alice", "strict");
    EXPECT_EQ(strict.result, PAM_PERM_DENIED);
    EXPECT_EQ(mark.decision("alice")["reason"], "namespace_join") << mark.decision("alice").line;
    const Stack sshd("sshd", sshd_stack({account_line("strict")}));
    EXPECT_EQ(ssh_job("alice"), -1);

    EXPECT_EQ(pam_login("alice", "action_adopt_failure=deny").result, PAM_PERM_DENIED);
    EXPECT_EQ(pam_login("alice", "").result, PAM_SUCCESS) << "action_adopt_failure=allow is the documented default";
    EXPECT_EQ(pam_login("alice", "strict join_container=false").result, PAM_SUCCESS);
}

TEST(Container, AJobThatLostItsNamespaceIsAFailedAdoption)
{
    const Job job = Job::allocate("alice");
    // slurmd keeps the namespace in this file; slurmstepd, which opens it at the first login, now hands out an
    // ordinary one.
    const std::string kept = cluster().directory + "/container/" + cluster().node + '/' + job.id_text() + "/.ns";
    const std::string ordinary = cluster().directory + "/ordinary";
    write_whole(ordinary, "");
    ASSERT_EQ(::mount(ordinary.c_str(), kept.c_str(), nullptr, MS_BIND, nullptr), 0) << kept;
    expect_failed_join(LogMark());
    EXPECT_EQ(::umount2(kept.c_str(), MNT_DETACH), 0);
}

TEST(Container, AnOfferThatIsNoNamespaceIsAFailedAdoption)
{
    const FakeStepd fake({.owner = 2001, .offer = NamespaceOffer::not_a_namespace, .directory = {}});
    expect_failed_join(LogMark());
}

TEST(Container, AnErrorInsteadOfTheNamespaceIsAFailedAdoption)
{
    const FakeStepd fake({.owner = 2001, .offer = NamespaceOffer::error, .directory = {}});
    expect_failed_join(LogMark());
}

}  // namespace
}  // namespace slurm_adopt::e2e
