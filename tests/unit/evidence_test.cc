// SPDX-License-Identifier: GPL-2.0-or-later
// Evidence from a freezer tree in a directory of ours, and from batch directories.
#include "slurm_adopt/evidence.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "slurm_adopt/host_name.h"
#include "support/temp_directory.h"

namespace slurm_adopt {
namespace {

constexpr uid_t me = 41001;
constexpr uid_t other = 41002;

class EvidenceTest : public testing::Test {
protected:
    EvidenceTest()
    {
        struct statfs status {};
        (void)::statfs(directory_.path().c_str(), &status);
        roots_.freezer = directory_.make_directory("freezer");
        roots_.freezer_type = status.f_type;
    }

    // What the kernel shows of a job: its directory, and the processes in it and in its extern step.
    void job(const std::string& tree, uid_t uid, unsigned job_id, const std::string& processes = "",
             const std::string& step = "")
    {
        const std::string name = "freezer/" + tree + "/uid_" + std::to_string(uid) + "/job_" + std::to_string(job_id);
        directory_.write(name + "/cgroup.procs", processes);
        directory_.write(name + "/step_extern/cgroup.procs", step);
    }
    StepSocketPath socket(unsigned job_id, const std::string& node = "n1")
    {
        return {directory_.make_directory("spool"), node + '_' + std::to_string(job_id) + ".4294967292", node, job_id};
    }
    Hint hint(unsigned job_id, const std::string& node = "n1") { return Evidence(roots_, me).hint(socket(job_id, node).view()); }
    bool foreign(unsigned job_id, const std::string& node = "n1")
    {
        return Evidence(roots_, me).is_foreign(socket(job_id, node).view());
    }

    void batch(const std::string& name, uid_t owner)
    {
        const std::string path = directory_.make_directory("spool/" + name);
        ASSERT_EQ(::chown(path.c_str(), owner, 0), 0);
    }
    void batch_script(const std::string& name, uid_t owner)
    {
        const std::string path = directory_.write("spool/" + name + "/slurm_script", "#!/bin/sh\n");
        ASSERT_EQ(::chown(path.c_str(), owner, 0), 0);
    }

    test::TempDirectory directory_;
    Roots roots_;
};

TEST_F(EvidenceTest, NothingIsKnownWithoutATree)
{
    EXPECT_EQ(hint(7), Hint::unknown);
    EXPECT_FALSE(foreign(7));
}

TEST_F(EvidenceTest, TheTreeTellsOwnFromForeign)
{
    job("slurm_n1", me, 7, "100\n");
    job("slurm_n1", other, 8, "200\n");
    EXPECT_EQ(hint(7), Hint::own);
    EXPECT_EQ(hint(8), Hint::foreign);
    EXPECT_EQ(hint(9), Hint::foreign) << "a hint only: not below our uid, so ask the others first";
    EXPECT_FALSE(foreign(7));
    EXPECT_TRUE(foreign(8));
    EXPECT_FALSE(foreign(9)) << "the kernel shows it nowhere: ask before a refusal";
}

TEST_F(EvidenceTest, TheTreeWithoutANodeName)
{
    job("slurm", me, 7, "100\n");
    job("slurm", other, 8, "", "200\n");
    EXPECT_EQ(hint(7), Hint::own);
    EXPECT_TRUE(foreign(8)) << "a process in the extern step alone counts";
    job("slurm_n1", other, 7, "300\n");
    EXPECT_EQ(hint(7), Hint::foreign) << "the node's own tree before the common one";
    EXPECT_EQ(hint(7, "n2"), Hint::own);
}

TEST_F(EvidenceTest, AnEmptyDirectoryIsALeftOverAndProvesNothing)
{
    job("slurm_n1", other, 8);
    EXPECT_FALSE(foreign(8)) << "job ids are reused, and cgroups are sometimes left behind";
    job("slurm_n1", me, 9);
    EXPECT_EQ(hint(9), Hint::own);
}

TEST_F(EvidenceTest, ATreeBelowBothUidsIsOurs)
{
    job("slurm_n1", me, 7);
    job("slurm_n1", other, 7, "200\n");
    EXPECT_EQ(hint(7), Hint::own);
    EXPECT_FALSE(foreign(7));
}

TEST_F(EvidenceTest, AnotherNodesTreeIsNoEvidence)
{
    job("slurm_n2", other, 7, "200\n");
    EXPECT_EQ(hint(7, "n1"), Hint::unknown);
    EXPECT_FALSE(foreign(7, "n1"));
    EXPECT_TRUE(foreign(7, "n2"));
}

TEST_F(EvidenceTest, SeveralNodesWithTheSameJob)
{
    job("slurm_n1", me, 7, "1\n");
    job("slurm_n2", other, 7, "2\n");
    Evidence evidence(roots_, me);
    EXPECT_FALSE(evidence.is_foreign(socket(7, "n1").view()));
    EXPECT_TRUE(evidence.is_foreign(socket(7, "n2").view()));
    EXPECT_EQ(evidence.hint(socket(7, "n1").view()), Hint::own);
    EXPECT_EQ(evidence.hint(socket(7, "n2").view()), Hint::foreign);
}

TEST_F(EvidenceTest, ATreeThatIsNoCgroupFileSystemIsNotBelieved)
{
    job("slurm_n1", other, 8, "200\n");
    roots_.freezer_type = CGROUP_SUPER_MAGIC;
    EXPECT_EQ(hint(8), Hint::unknown);
    EXPECT_FALSE(foreign(8));
    roots_.freezer = directory_ / "nowhere";
    EXPECT_EQ(hint(8), Hint::unknown);
}

TEST_F(EvidenceTest, NamesThatAreNoJobs)
{
    directory_.write("freezer/slurm_n1/uid_41001/job_7x/cgroup.procs", "1\n");
    directory_.write("freezer/slurm_n1/uid_41001/job_/cgroup.procs", "1\n");
    directory_.write("freezer/slurm_n1/uid_41001/xjob_7/cgroup.procs", "1\n");
    directory_.write("freezer/slurm_n1/uid_410010/job_8/cgroup.procs", "1\n");
    directory_.write("freezer/slurm_n1/xuid_41002/job_9/cgroup.procs", "1\n");
    EXPECT_EQ(hint(7), Hint::foreign);
    EXPECT_FALSE(foreign(7));
    EXPECT_TRUE(foreign(8)) << "uid_410010 is not uid_41001";
    EXPECT_FALSE(foreign(9));
}

TEST_F(EvidenceTest, ABatchDirectoryBelongsToTheUser)
{
    batch("job00007", me);
    batch("job00008", other);
    batch("job00009", 0);
    batch("job1234567", me);
    EXPECT_EQ(hint(7), Hint::own);
    EXPECT_EQ(hint(8), Hint::foreign);
    EXPECT_EQ(hint(9), Hint::unknown) << "root's may be a user's whose chown failed";
    EXPECT_EQ(hint(10), Hint::unknown) << "no batch job";
    EXPECT_EQ(hint(1234567), Hint::own);
    for (const unsigned job_id : {7U, 8U, 9U, 10U}) EXPECT_FALSE(foreign(job_id)) << "a directory is never enough to refuse";
}

TEST_F(EvidenceTest, ABatchScriptBelongsToTheUser)
{
    for (const auto& [name, owner] : {std::pair{"job00007", me}, {"job00008", other}, {"job00009", uid_t{0}}}) {
        batch(name, 0);
        batch_script(name, owner);
    }
    EXPECT_EQ(hint(7), Hint::own);
    EXPECT_EQ(hint(8), Hint::foreign);
    EXPECT_EQ(hint(9), Hint::unknown);
    batch("job00010", other);
    ASSERT_EQ(::symlink("../job00007/slurm_script", (directory_ / "spool/job00010/slurm_script").c_str()), 0);
    EXPECT_EQ(hint(10), Hint::foreign) << "a link is no script: by the directory";
    EXPECT_FALSE(foreign(8)) << "a file is never enough to refuse";
}

TEST_F(EvidenceTest, TheTreeListsTheUsersJobsOfEveryNode)
{
    const auto own_jobs = [this](const std::string& nodename) {
        std::string text;
        for (const JobOnNode& each : Evidence(roots_, me).own_jobs(nodename)) text += each.node + ':' + std::to_string(each.job_id) + ' ';
        return text;
    };
    EXPECT_EQ(own_jobs(""), "");
    job("slurm_n1", me, 7);
    job("slurm_n1", me, 8);
    job("slurm_n1", other, 9);
    job("slurmish", me, 10);
    EXPECT_EQ(own_jobs(""), "n1:7 n1:8 ");
    job("slurm_n2", other, 11);
    EXPECT_EQ(own_jobs(""), "n1:7 n1:8 ");
    EXPECT_EQ(own_jobs("n2"), "");
    job("slurm", me, 12);
    EXPECT_EQ(own_jobs("n1"), "n1:7 n1:8 ") << "the node's own tree, not the common one as well";
    EXPECT_EQ(own_jobs("n3"), "n3:12 ");
    const std::string all = own_jobs("");
    EXPECT_NE(all.find("n1:7 n1:8 "), std::string::npos);
    EXPECT_NE(all.find(short_host_name() + ":12 "), std::string::npos) << all;
    roots_.freezer_type = CGROUP_SUPER_MAGIC;
    EXPECT_EQ(own_jobs(""), "") << "not a cgroup file system";
}

TEST_F(EvidenceTest, OnlyADirectoryAndOnlyByItsExactName)
{
    batch("job7", me);
    batch("job0007", me);
    batch("job000007", me);
    EXPECT_EQ(hint(7), Hint::unknown);
    const std::string file = directory_.write("spool/job00007", "");
    ASSERT_EQ(::chown(file.c_str(), me, 0), 0);
    EXPECT_EQ(hint(7), Hint::unknown);
    batch("real", me);
    ASSERT_EQ(::symlink((directory_ / "spool/real").c_str(), (directory_ / "spool/job00008").c_str()), 0);
    ASSERT_EQ(::lchown((directory_ / "spool/job00008").c_str(), me, 0), 0);
    EXPECT_EQ(hint(8), Hint::unknown) << "a link is no batch directory";
}

TEST_F(EvidenceTest, TheKernelsTreeComesBeforeTheBatchDirectory)
{
    job("slurm_n1", me, 7, "1\n");
    batch("job00007", other);
    batch("job00008", me);
    EXPECT_EQ(hint(7), Hint::own);
    EXPECT_EQ(hint(8), Hint::foreign);
}

}  // namespace
}  // namespace slurm_adopt
