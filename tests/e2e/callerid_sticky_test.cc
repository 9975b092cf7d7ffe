// SPDX-License-Identifier: GPL-2.0-or-later
// sticky=1 beside caller id, with clients on other hosts.
#include <gtest/gtest.h>

#include <memory>

#include "cluster.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

constexpr std::uint16_t dual_port = 2399;
const std::string stay = where + "; echo here; exec sleep 600";

std::uint32_t job_from(const std::string& host, const std::vector<std::string>& options = {})
{
    return job_on("n2", run(ssh_between(host, "alice", "n2", where, options)).out);
}

TEST(CallerIdSticky, ClientsOfOtherHostsByIpv4AndIpv6)
{
    const Stack sshd("sshd", caller_id_stack("sticky=1"));
    const NodesJob older("alice", {"n2"});
    // A socket on `::`, whose IPv4 clients come as ::ffff:a.b.c.d, and sshd's own.
    const DualStackSshd dual("n2", dual_port);
    for (const std::vector<std::string>& options : {std::vector<std::string>{},
                                                    {"-oPort=" + std::to_string(dual_port)},
                                                    {"-oAddressFamily=inet6", "-oHostName=2001:db8:1::2"}}) {
        SCOPED_TRACE(options.empty() ? "IPv4" : options.back());
        Background first(ssh_between(outside, "alice", "n2", stay, options));
        ASSERT_TRUE(first.says("here")) << first.output();
        EXPECT_EQ(job_on("n2", first.output()), older.id());
        const NodesJob newer("alice", {"n2"});
        const LogMark mark;
        EXPECT_EQ(job_from(outside, options), older.id()) << mark.text();
        EXPECT_EQ(mark.decision("alice")["reason"], "sticky") << mark.text();
        EXPECT_EQ(job_from("n1", options), newer.id()) << "another host";
    }
}

TEST(CallerIdSticky, TheSourceNodesAnswerGoesFirst)
{
    const Stack sshd("sshd", caller_id_stack("sticky=1"));
    const NodesJob older("alice", {"n2"});
    Background first(ssh_between("n1", "alice", "n2", stay));
    ASSERT_TRUE(first.says("here")) << first.output();
    NodesJob both("alice", {"n1", "n2"});
    const LogMark mark;
    EXPECT_EQ(job_on("n2", both.run("ssh -oBatchMode=yes n2 " + where).out), both.id()) << mark.text();
    EXPECT_EQ(mark.decision("alice")["reason"], "source_job") << mark.text();
    EXPECT_EQ(job_from("n1"), older.id()) << "the same address, but out of no job";
}

}  // namespace
}  // namespace slurm_adopt::e2e
