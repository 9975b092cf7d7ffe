// SPDX-License-Identifier: GPL-2.0-or-later
// Where the kernel's tree names the user's jobs and slurmd has its sockets where it usually has them: nobody is listed.
#include <sys/stat.h>

#include "node_test.h"
#include "slurm_adopt/fd.h"
#include "support/listening_socket.h"

namespace slurm_adopt::test {
namespace {

class UsualPlace : public NodeTest {
protected:
    UsualPlace()
    {
        // What a user has planted is mentioned by whoever lists.
        directory_ = spool_.make_directory("alice");
        EXPECT_EQ(::chown(directory_.c_str(), alice, 0), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        EXPECT_EQ(::seteuid(alice), 0);
        planted_ = listen_at(directory_ + '/' + step_socket_name(tree_.node(), 99));
        EXPECT_EQ(::seteuid(0), 0);
    }
    [[nodiscard]] Login usual(std::vector<std::string> options = {"strict"}) const
    {
        Roots roots;
        roots.spool_dirs = {"/nowhere/at/all", spool_.path().c_str(), "/nowhere/else"};
        options.push_back("nodename=" + tree_.node());  // other tests may have trees of their own beside
        return {.options = std::move(options), .roots = roots};
    }
    [[nodiscard]] std::string warning() const
    {
        return "warning 1 socket(s) named like a slurmstepd's but not root's: ignored, e.g. " + directory_ + '/' + tree_.node() + "_99.4294967292";
    }
    [[nodiscard]] Expected adopted(int jobs, int job, bool listed, const std::string& reason = "one_job") const
    {
        Expected expected{"success", {decided("info adopt " + reason, jobs, job, "yes", "closed")}, {}, {"SLURM_JOB_ID=" + std::to_string(job)}};
        if (listed) expected.log.insert(expected.log.begin(), warning());
        const std::string other = reason == "newest_job" ? " For another one: srun --overlap --pty --jobid=<JOBID> bash" : "";
        if (jobs > 1) expected.told = {"info You have 2 jobs on HOST; this login was placed into job " + std::to_string(job) + "." + other};
        return expected;
    }
    [[nodiscard]] Expected no_job() const
    {
        std::string told = no_job_message;
        told.replace(told.find("HOST"), 4, tree_.node());
        return {"perm_denied", {warning(), decided("notice deny no_jobs", 0, 0, "-", "closed")}, {told}};
    }

    std::string directory_;
    Fd planted_;
};

TEST_F(UsualPlace, OneJob)
{
    FakeStepd& mine = start(7);
    FakeStepd& bobs = start(8, {.uid = bob});
    expect("usual place", log_in(usual()), adopted(1, 7, false));
    expect("another place", log_in({.options = {"strict"}}), adopted(1, 7, true));
    expect("spool_dir=", log_in({.options = {"strict", "spool_dir=" + spool_.path(), "nodename=" + tree_.node()}}), adopted(1, 7, false));
    EXPECT_EQ(mine.seen().adopt, 3);
    EXPECT_EQ(bobs.seen().connections, 0);
}

TEST_F(UsualPlace, SeveralJobs)
{
    (void)start(7);
    (void)start(8);
    Login login = usual({"strict", "action_unknown=deny", "quiet"});
    const Outcome outcome = log_in(login);
    EXPECT_EQ(outcome.code, "perm_denied") << "both have been found";
    ASSERT_FALSE(outcome.log.empty());
    EXPECT_EQ(outcome.log.back(), decided("notice deny unknown_job", 2, 0, "-", "closed"));
    for (const std::string& line : outcome.log) EXPECT_EQ(line.find("named like"), std::string::npos) << line;
}

TEST_F(UsualPlace, OneThatIsNotThereMakesTheListNecessary)
{
    (void)start(7);
    // A job of alice's by the tree, without a socket anywhere: left over, or without an extern step.
    (void)tree_.make_step(Layout::v1, alice, 8);
    expect("listed", log_in(usual()), adopted(1, 7, true));
}

TEST_F(UsualPlace, OneThatNobodyListensOnAnyMore)
{
    (void)start(7);
    (void)start(8);
    stepds_.pop_back();  // its cgroup and its socket's file stay
    expect("listed", log_in(usual()), adopted(1, 7, true));
}

TEST_F(UsualPlace, OneThatIsNotRootsIsNoSlurmstepd)
{
    ASSERT_EQ(::chmod(spool_.path().c_str(), 0777), 0);
    const FakeStepd fake(tree_, spool_.path(), 7, {.listener = alice, .root_owns_the_file = false}, Layout::v1, alice);
    Outcome outcome = log_in(usual());
    EXPECT_EQ(outcome.code, "perm_denied");
    EXPECT_EQ(fake.seen().connections, 0);
    const FakeStepd tricked(tree_, spool_.path(), 8, {.listener = alice, .root_owns_the_file = true}, Layout::v1, alice);
    outcome = log_in(usual());
    EXPECT_EQ(outcome.code, "perm_denied");
    EXPECT_EQ(tricked.seen().uid, 0) << "not asked: whoever listens there is not root";
}

TEST_F(UsualPlace, WhoseItIsIsWhatTheSlurmstepdSays)
{
    const FakeStepd stepd(tree_, spool_.path(), 7, {.uid = bob}, Layout::v1, alice);
    expect("bob's", log_in(usual()), no_job());
    EXPECT_EQ(stepd.seen().adopt, 0);
}

TEST_F(UsualPlace, AStoppedOneBesideOneThatAnswers)
{
    (void)start(7);
    FakeStepd& stopped = start(8);
    stopped.stop();
    const Outcome outcome = log_in(usual());
    Expected expected = adopted(1, 7, false);
    expected.log.insert(expected.log.begin(), "warning 1 extern step(s) did not answer, e.g. " + stopped.socket());
    expect("the other one", outcome, expected);
    EXPECT_LT(outcome.milliseconds, 500) << "waited for once";
}

}  // namespace
}  // namespace slurm_adopt::test
