// SPDX-License-Identifier: GPL-2.0-or-later
// A node full of sockets: other users' steps, sockets that users have named like them, and sockets of anything else. That is
// work for the processor, and the bounds leave room for a machine with ten others at work.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

#include "fault_logins.h"
#include "many_sockets.h"
#include "node_test.h"
#include "stepd_fault.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

constexpr int tries = 3;
constexpr unsigned first_job = 1000;

class ManySocketsOnANode : public testing::TestWithParam<unsigned> {
protected:
    void SetUp() override
    {
        // As sshd has it: fewer than there are sockets.
        ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const rlimit usual{std::min<rlim_t>(1024, before_.rlim_cur), before_.rlim_max};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
    }
    void TearDown() override { (void)::setrlimit(RLIMIT_NOFILE, &before_); }

    [[nodiscard]] unsigned count() const { return GetParam(); }
    [[nodiscard]] double per_thousand(double milliseconds) const { return milliseconds * count() / 1000; }
    void row(const char* part, const std::string& what, const std::string& expected, double bound, double measured) const
    {
        report_fault({part, std::to_string(count()) + ' ' + what, expected, bound}, measured);
    }
    [[nodiscard]] static Login login(const char* user, const char* timeout = "timeout=10")
    {
        return {.user = user, .options = {"strict", timeout}};
    }
    // Where alice may make sockets.
    [[nodiscard]] static std::string directory_of_alice(const TempDirectory& in)
    {
        const std::string directory = in.make_directory("a");
        EXPECT_EQ(::chown(directory.c_str(), alice, 0), 0);
        EXPECT_EQ(::chmod(in.path().c_str(), 0755), 0);
        return directory;
    }

private:
    rlimit before_{};
};

TEST_P(ManySocketsOnANode, OfOthersByTheKernelsTree)
{
    Node node;
    (void)node.start(7);
    (void)node.start(8, {.uid = bob});
    const double without = best_of(tries, login("alice"), "adopt one_job");
    // Nobody accepts there: each that was asked would cost.
    const ManySockets others(step_socket_paths(node.spool.path(), node.tree.node(), first_job, count()), 0);
    const double with = best_of(tries, login("alice"), "adopt one_job", without + per_thousand(50));
    row("slurmstepd", "steps of others, cgroup v1; added, the best of a few", "adopt one_job", per_thousand(50),
        std::max(0.0, with - without));
}

TEST_P(ManySocketsOnANode, OfOthersWhoAnswer)
{
    Node node;
    (void)node.start(7, of_release({}, Layout::v2), Layout::v2);
    const ManySockets others(step_socket_paths(node.spool.path(), node.tree.node(), first_job, count()), 0, bob);
    row("slurmstepd", "steps of others, cgroup v2, each is asked", "adopt one_job", per_thousand(1000),
        best_of(2, login("alice"), "adopt one_job", per_thousand(1000)));
    row("slurmstepd", "steps of others, cgroup v2, each is asked, no job", "deny no_jobs", per_thousand(1000),
        best_of(2, login("carol"), "deny no_jobs", per_thousand(1000)));
}

TEST_P(ManySocketsOnANode, OfOthersWhoHang)
{
    Node node;
    (void)node.start(7, of_release({}, Layout::v2), Layout::v2);
    const ManySockets others(step_socket_paths(node.spool.path(), node.tree.node(), first_job, count()), 0);
    // More than there are descriptors: they are asked in lots, each of which gets its grace.
    const double bound = count() <= 1000 ? 1500 : 8000;
    row("slurmstepd", "steps of others that all hang, cgroup v2; the best of a few", "adopt one_job", bound,
        best_of(count() <= 1000 ? 3 : 1, login("alice"), "adopt one_job", bound));
    row("slurmstepd", "steps of others that all hang, cgroup v2, no job, timeout=1", "deny no_jobs", 3000,
        best_of(1, login("carol", "timeout=1"), "deny no_jobs", 3000));
}

TEST_P(ManySocketsOnANode, PlantedByAUser)
{
    for (const Layout layout : {Layout::v1, Layout::v2}) {
        Node node;
        (void)node.start(7, of_release({}, layout), layout);
        (void)node.start(8, of_release({.uid = bob}, layout), layout);
        const double without = best_of(tries, login("alice"), "adopt one_job");
        const ManySockets planted(step_socket_paths(directory_of_alice(node.spool), node.tree.node(), first_job, count()),
                                  alice);
        const std::string where = layout == Layout::v1 ? ", cgroup v1" : ", cgroup v2";
        for (const auto& [user, decision] : {std::pair("alice", "adopt one_job"), std::pair("carol", "deny no_jobs")})
            row("attacker",
                "sockets that a user has named like steps" + where + (*user == 'c' ? ", no job" : "") +
                    "; added, the best of a few",
                decision, per_thousand(50),
                std::max(0.0, best_of(tries, login(user), decision, without + per_thousand(50)) - without));
        // The same list out of /proc/net/unix, which does not tell the owners: each file is looked at.
        Login by_text = login("alice");
        by_text.roots = Roots{};
        by_text.roots->proc = "/proc/.";
        row("attacker", "sockets that a user has named like steps" + where + ", without netlink; added, the best of a few",
            "adopt one_job", per_thousand(200),
            std::max(0.0, best_of(tries, by_text, "adopt one_job", without + per_thousand(200)) - without));
    }
}

TEST_P(ManySocketsOnANode, OfAnythingElse)
{
    Node node;
    (void)node.start(7);
    const double without = best_of(tries, login("alice"), "adopt one_job");
    std::vector<std::string> paths;
    const std::string directory = directory_of_alice(node.spool);
    for (unsigned i = 0; i < count(); ++i) paths.push_back(directory + "/s" + std::to_string(i));
    const ManySockets sockets(paths, alice);
    const double with = best_of(tries, login("alice"), "adopt one_job", without + per_thousand(50));
    row("attacker", "listening sockets of a user's; added, the best of a few", "adopt one_job", per_thousand(50),
        std::max(0.0, with - without));
}

INSTANTIATE_TEST_SUITE_P(, ManySocketsOnANode, testing::Values(1000U, 5000U), testing::PrintToStringParamName());

}  // namespace
}  // namespace slurm_adopt::test
