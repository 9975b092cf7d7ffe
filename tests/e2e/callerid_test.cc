// SPDX-License-Identifier: GPL-2.0-or-later
// A user with several jobs, who comes from one of them: on three nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cluster.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string ssh_to(const std::string& node, const std::string& command = where)
{
    return "ssh -oBatchMode=yes " + node + " '" + command + "'";
}

class CallerId : public ::testing::Test {
protected:
    // A login of this user's from a host that is no node, to n2: in which of the jobs it is; 0: in none.
    static std::uint32_t from_outside(const std::string& user = "alice")
    {
        return job_on("n2", run(ssh_between(outside, user, "n2", where)).out);
    }
};

TEST_F(CallerId, ALoginLandsInTheJobItCameFrom)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    for (int round = 0; round < 3; ++round) {
        for (NodesJob* job : {&first, &second}) {
            const LogMark mark;
            const Finished session = job->run(ssh_to("n2", where + "; echo JOB=$SLURM_JOB_ID"));
            EXPECT_EQ(job_on("n2", session.out), job->id()) << session.err << mark.text();
            EXPECT_NE(session.out.find("JOB=" + job->id_text()), std::string::npos) << session.out;
            EXPECT_EQ(mark.decision("alice")["reason"], "source_job") << mark.text();
        }
        const LogMark mark;
        EXPECT_EQ(from_outside(), second.id()) << "from outside: the newest";
        EXPECT_EQ(mark.decision("alice")["reason"], "newest_job") << mark.text();
    }
}

TEST_F(CallerId, AnAdoptedSessionIsASourceToo)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    for (NodesJob* job : {&first, &second}) {
        const LogMark mark;
        const Finished back = job->run(ssh_to("n2", "ssh -oBatchMode=yes n1 " + where));
        EXPECT_EQ(job_on("n1", back.out), job->id()) << back.err << mark.text();
        const Finished thrice = job->run(ssh_to("n2", "ssh -oBatchMode=yes n1 ssh -oBatchMode=yes n2 " + where));
        EXPECT_EQ(job_on("n2", thrice.out), job->id()) << thrice.err << mark.text();
        const Finished itself = job->run(ssh_to("n1"));
        EXPECT_EQ(job_on("n1", itself.out), job->id()) << "from a node to itself: " << itself.err << mark.text();
    }
}

TEST_F(CallerId, TheSourceJobGoesBeforeActionUnknown)
{
    const Stack sshd("sshd", caller_id_stack("action_unknown=deny"));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    EXPECT_EQ(job_on("n2", first.run(ssh_to("n2")).out), first.id());
    EXPECT_EQ(job_on("n2", second.run(ssh_to("n2")).out), second.id());
    EXPECT_EQ(from_outside(), 0U);
    NodesJob elsewhere("alice", {"n1"});
    EXPECT_FALSE(elsewhere.run(ssh_to("n2")).ok()) << "the source job is not on this node";
}

TEST_F(CallerId, TheJobOfAnotherUserIsNoSource)
{
    const Stack sshd("sshd", caller_id_stack(""));
    const std::string home = cluster().directory + "/home/alice/.ssh/bob";
    ASSERT_EQ(run({.argv = {"install", "-m600", "-oalice", "-galice", cluster().keys + "/bob", home}}).code, 0);
    NodesJob hers("alice", {"n1", "n2"});
    NodesJob her_other("alice", {"n1", "n2"});
    NodesJob his_first("bob", {"n2"});
    NodesJob his_second("bob", {"n2"});
    const LogMark mark;
    const Finished session = hers.run(ssh_to("bob@n2"));
    EXPECT_EQ(job_on("n2", session.out), his_second.id()) << session.err;
    EXPECT_EQ(mark.decision("bob")["reason"], "newest_job") << mark.text();
    const std::string text = mark.text();
    EXPECT_NE(text.find("names job " + hers.id_text() + " of user alice for a login of user bob"), std::string::npos) << text;
    EXPECT_NE(text.find(".warning"), std::string::npos) << text;
    std::filesystem::remove(home);
}

TEST_F(CallerId, AHostThatIsNoNodeIsNotAsked)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n2"});
    NodesJob second("alice", {"n2"});
    Listener listener(outside, slurmd_port, Listener::Way::silent);
    for (int i = 0; i < 5; ++i) {
        const LogMark mark;
        const Finished session = run(ssh_between(outside, "alice", "n2", where));
        EXPECT_EQ(job_on("n2", session.out), second.id()) << session.err;
        EXPECT_LT(session.took, milliseconds{2500});
        EXPECT_NE(mark.text().find("is no node"), std::string::npos) << mark.text();
    }
    EXPECT_EQ(listener.connections(), 0);
}

// Nobody's fault, and no warning: the administrator on a node, or a user by another way than a job.
TEST_F(CallerId, ANodeButNoJob)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    const LogMark mark;
    EXPECT_EQ(job_on("n2", run(ssh_between("n1", "alice", "n2", where)).out), second.id());
    const auto lines = mark.lines_with("source unknown: ");
    ASSERT_EQ(lines.size(), 1U) << mark.text();
    EXPECT_NE(lines[0].find("the slurmd of 198.51.100.1 names no job"), std::string::npos) << lines[0];
    EXPECT_NE(lines[0].find("authpriv.info "), std::string::npos) << lines[0];
}

TEST_F(CallerId, AFalseSlurmdMovesNobody)
{
    const Stack sshd("sshd", caller_id_stack("callerid_timeout=1"));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    NodesJob foreign("bob", {"n1", "n2"});
    const Stopped slurmd("slurmd.n1");
    for (const auto way : {Listener::Way::garbage, Listener::Way::silent}) {
        Listener listener("n1", slurmd_port, way);
        const LogMark mark;
        const Finished session = first.run(ssh_to("n2"));
        EXPECT_EQ(job_on("n2", session.out), second.id()) << session.err << mark.text();
        EXPECT_GT(listener.connections(), 0);
        EXPECT_NE(mark.text().find("source unknown"), std::string::npos) << mark.text();
        EXPECT_LT(session.took, milliseconds{2500});
    }
}

TEST_F(CallerId, ASourceThatDropsPacketsCostsTheTimeoutAtMost)
{
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    const Stopped slurmd("slurmd.n1");
    Listener listener("n1", slurmd_port, Listener::Way::drops);
    for (const int timeout : {1, 2}) {
        const Stack sshd("sshd", caller_id_stack("callerid_timeout=" + std::to_string(timeout)));
        const LogMark mark;
        const Finished session = first.run(ssh_to("n2"));
        EXPECT_EQ(job_on("n2", session.out), second.id()) << session.err << mark.text();
        EXPECT_GE(session.took, seconds{timeout} - milliseconds{50});
        EXPECT_LT(session.took, seconds{timeout} + milliseconds{2000});
        EXPECT_NE(mark.text().find("source unknown"), std::string::npos) << mark.text();
    }
    const Stack sshd("sshd", caller_id_stack("callerid_timeout=1 action_unknown=deny"));
    EXPECT_FALSE(first.run(ssh_to("n2")).ok());
    EXPECT_EQ(listener.connections(), 0);
}

TEST_F(CallerId, ASourceThatRefusesCostsNothing)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    const auto best_of_three = [&] {
        milliseconds best{60'000};
        for (int i = 0; i < 3; ++i) best = std::min(best, first.run(ssh_to("n2")).took);
        return best;
    };
    const milliseconds answered = best_of_three();
    const Stopped slurmd("slurmd.n1");
    const LogMark mark;
    EXPECT_LT(best_of_three(), answered + milliseconds{150});
    EXPECT_EQ(job_on("n2", first.run(ssh_to("n2")).out), second.id()) << mark.text();
}

TEST_F(CallerId, AnIpv4ClientOfADualStackListener)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    // sshd's own listeners are of one family each; those of systemd and inetd need not be.
    const DualStackSshd other("n2", 2223);
    for (NodesJob* job : {&first, &second}) {
        const Finished session = job->run("ssh -oBatchMode=yes -p2223 198.51.100.2 " + where);
        EXPECT_EQ(job_on("n2", session.out), job->id()) << session.err;
    }
}

TEST_F(CallerId, Ipv6)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    for (NodesJob* job : {&first, &second}) {
        const LogMark mark;
        const Finished session = job->run("ssh -6 -oBatchMode=yes 2001:db8:1::2 " + where);
        EXPECT_EQ(job_on("n2", session.out), job->id()) << session.err << mark.text();
    }
}

}  // namespace
}  // namespace slurm_adopt::e2e
