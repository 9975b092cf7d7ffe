// SPDX-License-Identifier: GPL-2.0-or-later
// Source nodes that lie, and source nodes that the network keeps from answering.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "cluster.h"
#include "login.h"
#include "nodes.h"

namespace slurm_adopt::e2e {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CallerIdSources : public ::testing::Test {
protected:
    Finished login(NodesJob& from) { return from.run("ssh -oBatchMode=yes n2 " + where); }
};

// The slurmd of n1, with false_slurmd.cc in it for as long as this lives.
class LyingSlurmd {
public:
    LyingSlurmd() { restart({{"LD_PRELOAD", FALSE_SLURMD}, {"FALSE_CALLERID_PID_FILE", file_}}); }
    ~LyingSlurmd() { restart({}); }
    LyingSlurmd(const LyingSlurmd&) = delete;
    LyingSlurmd& operator=(const LyingSlurmd&) = delete;

    void names(NodesJob& job) const { write_whole(file_, job.run("sleep 1000 & echo $!").out); }

private:
    static void restart(const std::vector<std::pair<std::string, std::string>>& environment)
    {
        const Finished done = run({.argv = {cluster().control, "restart", "slurmd.n1"}, .environment = environment});
        EXPECT_TRUE(done.ok()) << done.err;
        EXPECT_TRUE(eventually([] { return run(on("n1", {.argv = {"bash", "-c", ": </dev/tcp/198.51.100.1/6818"}})).ok(); }));
    }

    std::string file_ = cluster().directory + "/false-callerid";
};

TEST_F(CallerIdSources, ASlurmdThatLiesMovesNobodyIntoAForeignJob)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    NodesJob foreign("bob", {"n1", "n2"});
    NodesJob elsewhere("alice", {"n1"});
    const LyingSlurmd slurmd;

    // Among the user's own jobs it may choose. This also shows that it is believed, and so, that it lies.
    slurmd.names(first);
    EXPECT_EQ(job_on("n2", login(second).out), first.id());

    const struct {
        NodesJob& named;
        std::string said;
    } lies[] = {
        {foreign, "names job " + foreign.id_text() + " of user bob for a login of user alice: refused"},
        {elsewhere, "names job " + elsewhere.id_text() + " of nobody known here for a login of user alice: refused"},
    };
    for (const auto& lie : lies) {
        slurmd.names(lie.named);
        const LogMark mark;
        const Finished session = login(first);
        EXPECT_EQ(job_on("n2", session.out), second.id()) << session.err << mark.text();
        EXPECT_EQ(mark.decision("alice")["reason"], "newest_job") << mark.text();
        const auto warnings = mark.lines_with(lie.said);
        ASSERT_EQ(warnings.size(), 1U) << mark.text();
        EXPECT_NE(warnings[0].find("authpriv.warning "), std::string::npos) << warnings[0];
    }
}

// Something in the network of a node, for as long as this lives.
class Obstacle {
public:
    Obstacle(std::string node, const std::string& add, std::string remove) : node_(std::move(node)), remove_(std::move(remove))
    {
        const Finished done = shell(add);
        if (!done.ok()) error_ = done.err.empty() ? "exit code " + std::to_string(done.code) : done.err;
    }
    ~Obstacle()
    {
        if (!error_.empty()) return;
        EXPECT_TRUE(shell(remove_).ok()) << remove_;
    }
    Obstacle(const Obstacle&) = delete;
    Obstacle& operator=(const Obstacle&) = delete;

    const std::string& error() const { return error_; }

private:
    [[nodiscard]] Finished shell(const std::string& script) const { return run(on(node_, {.argv = {"sh", "-c", script}})); }

    std::string node_;
    std::string remove_;
    std::string error_;
};

std::string nft_drop(const std::string& hook, const std::string& match)
{
    return "echo 'table inet obstacle { chain drops { type filter hook " + hook + " priority 0; " + match + " drop; }; }' | nft -f -";
}

// Why nftables cannot be used on this kernel; empty if it can.
std::string without_nftables()
{
    const std::string table = "table inet slurm_adopt_probe";
    const Finished done = run(on("n1", {.argv = {"sh", "-c", "nft add " + table + " && nft delete " + table}}));
    return done.ok() ? "" : "exit code " + std::to_string(done.code) + ": " + done.err;
}

std::string rule(const std::string& verb, const std::string& what)
{
    return "ip rule " + verb + " pref 10 ipproto tcp " + what;
}

TEST_F(CallerIdSources, PacketsThatAreDroppedCostTheTimeoutAtMost)
{
    const Stack sshd("sshd", caller_id_stack("callerid_timeout=1"));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    const struct {
        const char* name;
        const char* node;
        std::string add;
        std::string remove;
        bool needs_nft;
    } ways[] = {
        {"nftables on the way out", "n2", nft_drop("output", "tcp dport 6818"), "nft delete table inet obstacle", true},
        {"nftables on the way in", "n1", nft_drop("input", "tcp dport 6818"), "nft delete table inet obstacle", true},
        {"no route for what slurmd answers", "n1", rule("add", "sport 6818 blackhole"), rule("del", "sport 6818 blackhole"), false},
    };
    const std::string no_nftables = without_nftables();
    for (const auto& way : ways) {
        if (way.needs_nft && !no_nftables.empty()) {
            // The last way needs no nftables, and has the same effect.
            std::printf("NOT SHOWN: %s: nftables does not work on this kernel: %s\n", way.name, no_nftables.c_str());
            continue;
        }
        const Obstacle obstacle(way.node, way.add, way.remove);
        ASSERT_EQ(obstacle.error(), "") << way.name;
        const LogMark mark;
        const Finished session = login(first);
        EXPECT_EQ(job_on("n2", session.out), second.id()) << way.name << session.err << mark.text();
        EXPECT_EQ(mark.decision("alice")["reason"], "newest_job") << way.name << mark.text();
        EXPECT_NE(mark.text().find("killed at its deadline"), std::string::npos) << way.name << mark.text();
        EXPECT_GE(session.took, milliseconds{950}) << way.name;
        EXPECT_LT(session.took, milliseconds{3000}) << way.name;
    }
    EXPECT_EQ(job_on("n2", login(first).out), first.id()) << "nothing is in the way any more";
}

TEST_F(CallerIdSources, ASourceThatIsUnreachableCostsNothing)
{
    const Stack sshd("sshd", caller_id_stack("callerid_timeout=5"));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    const auto best_of_three = [&] {
        milliseconds best{60'000};
        for (int i = 0; i < 3; ++i) best = std::min(best, login(first).took);
        return best;
    };
    const milliseconds answered = best_of_three();
    for (const std::string what : {"unreachable", "prohibit", "blackhole"}) {
        const Obstacle obstacle("n2", rule("add", "dport 6818 " + what), rule("del", "dport 6818 " + what));
        ASSERT_EQ(obstacle.error(), "") << what;
        EXPECT_LT(best_of_three(), answered + milliseconds{150}) << what;
        const LogMark mark;
        EXPECT_EQ(job_on("n2", login(first).out), second.id()) << what << mark.text();
        EXPECT_NE(mark.text().find("source unknown: the source node's slurmd could not be asked"), std::string::npos)
            << what << mark.text();
    }
    EXPECT_EQ(job_on("n2", login(first).out), first.id()) << "nothing is in the way any more";
}

}  // namespace
}  // namespace slurm_adopt::e2e
