// SPDX-License-Identifier: GPL-2.0-or-later
// Caller id where the user can choose the environment of the process that the module is loaded into: su and login.
#include <gtest/gtest.h>

#include <filesystem>

#include "cluster.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

using std::chrono::seconds;

// alice has two jobs; the second is the newest.
class CallerIdHosts : public ::testing::Test {
protected:
    static std::vector<std::string> stack_of(const std::string& service, const std::string& options = {})
    {
        return {"auth required pam_permit.so",
                account_line("strict log_level=verbose service=" + service + " helper=" + helper_copy() + ' ' + options),
                "session required pam_permit.so"};
    }

    // alice's su on n2, over a connection to this port of n1. SLURM_CONF is of her choice, and arrives in the session.
    static Finished su(const std::string& port)
    {
        return run(on("n2", as_user("alice", {"bash", "-c", "cd / && exec 5<>/dev/tcp/198.51.100.1/" + port + " && read -r -N1 -u5 && "
                                              "SLURM_CONF=/evil su alice -c '" + where + "; echo CONF=$SLURM_CONF'"})));
    }

    NodesJob first_{"alice", {"n1", "n2"}};
    NodesJob second_{"alice", {"n1", "n2"}};
};

TEST_F(CallerIdHosts, SuAsksWithTheConfigurationOfTheNode)
{
    const Stack stack("su", stack_of("su"));
    {
        // Any service of a node that says something first; its end of the connection is in no job.
        const LogMark mark;
        const Finished session = su("2222");
        EXPECT_EQ(job_on("n2", session.out), second_.id()) << session.out << session.err << mark.text();
        EXPECT_NE(session.out.find("CONF=/evil\n"), std::string::npos) << session.out;
        EXPECT_EQ(mark.decision("alice")["reason"], "newest_job") << mark.text();
        EXPECT_NE(mark.text().find("the slurmd of 198.51.100.1 names no job"), std::string::npos) << mark.text();
        EXPECT_EQ(mark.text().find("slurm.conf"), std::string::npos) << mark.text();
    }
    {
        // A service in a job: slurmd's answer could not be right with any other configuration.
        const std::string service = "perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 5, LocalPort => 7777, ReuseAddr => 1); "
                                    "while ($c = $l->accept) { push @c, $c; $c->syswrite(\"x\") }'";
        (void)first_.begin(service);
        ASSERT_TRUE(eventually([] { return run(on("n2", {.argv = {"bash", "-c", ": </dev/tcp/198.51.100.1/7777"}})).ok(); }));
        const LogMark mark;
        const Finished session = su("7777");
        EXPECT_EQ(job_on("n2", session.out), first_.id()) << session.out << session.err << mark.text();
        EXPECT_EQ(mark.decision("alice")["reason"], "source_job") << mark.text();
    }
    // What it would look like if it were believed.
    const Stack believed("su", stack_of("su", "slurm_conf=/evil"));
    const LogMark mark;
    EXPECT_EQ(job_on("n2", su("7777").out), second_.id());
    EXPECT_NE(mark.text().find("could not read slurm.conf"), std::string::npos) << mark.text();
}

TEST_F(CallerIdHosts, LoginIsNotDisturbed)
{
    const Stack stack("login", stack_of("login"));
    const std::string profile = cluster().directory + "/home/alice/.bash_profile";
    write_whole(profile, where + "; echo CONF=$SLURM_CONF; exit\n");
    const LogMark mark;
    Command login = on("n2", {.argv = {"script", "-qec", "login -p -f alice", "/dev/null"}, .environment = {{"SLURM_CONF", "/evil"}}});
    const Finished session = run(login);
    std::filesystem::remove(profile);
    EXPECT_EQ(job_on("n2", session.out), second_.id()) << session.out << session.err << mark.text();
    EXPECT_NE(session.out.find("CONF=/evil"), std::string::npos) << session.out;
    const Decision decision = mark.decision("alice");
    EXPECT_EQ(decision["reason"], "newest_job") << mark.text();
    EXPECT_EQ(decision["service"], "login") << mark.text();
    EXPECT_NE(mark.text().find("the login came by no TCP connection"), std::string::npos) << mark.text();
    EXPECT_LT(session.took, seconds{3});
}

}  // namespace
}  // namespace slurm_adopt::e2e
