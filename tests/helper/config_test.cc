// SPDX-License-Identifier: GPL-2.0-or-later
// The verb `config`: with a libslurm of ours, and with the real one and a slurm.conf of its own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "helper_process.h"
#include "support/temp_directory.h"

namespace slurm_adopt::test {
namespace {

using namespace helper_wire;

class HelperConfig : public testing::Test {
protected:
    void SetUp() override
    {
        if (!is_root()) GTEST_SKIP() << "needs root";
    }

    [[nodiscard]] std::vector<std::string> environment() const
    {
        return {"SLURM_CONF=" + (directory_ / "slurm.conf")};
    }
    [[nodiscard]] static ConfigRequest request_for(std::string_view node)
    {
        ConfigRequest request;
        std::copy(node.begin(), node.end(), request.node.begin());
        return request;
    }
    [[nodiscard]] ConfigReply ask_fake(std::string_view conf, std::string_view node = "") const
    {
        directory_.write("slurm.conf", std::string(conf));
        return ask<ConfigReply>(Verb::config, request_for(node), with_fake_slurm(environment()));
    }
    [[nodiscard]] ConfigReply ask_real(std::string_view conf, std::string_view node = "") const
    {
        directory_.write("slurm.conf", std::string(conf));
        auto real = environment();
        real.emplace_back("ASAN_OPTIONS=detect_leaks=0");
        return ask<ConfigReply>(Verb::config, request_for(node), real);
    }

    const TempDirectory directory_;
};

ConfigStatus status_of(const ConfigReply& reply)
{
    return static_cast<ConfigStatus>(reply.status);
}

TEST_F(HelperConfig, TellsTheSettings)
{
    const ConfigReply reply = ask_fake("node n1|n1|x\nset prolog 21\nset flags 16\nset proctrack proctrack/cgroup\nset task task/a,task/b\n"
                                       "set launch ulimit_pam_adopt\nset container job_container/tmpfs\nset slurmd config_overrides\nset spool /s/%n\nthis n1\n");
    ASSERT_EQ(status_of(reply), ConfigStatus::answered);
    EXPECT_EQ(reply.flags, flag_contain | flag_x11 | flag_use_pam);
    EXPECT_STREQ(reply.proctrack_type.data(), "proctrack/cgroup");
    EXPECT_STREQ(reply.task_plugin.data(), "task/a,task/b");
    EXPECT_STREQ(reply.launch_parameters.data(), "ulimit_pam_adopt");
    EXPECT_STREQ(reply.job_container.data(), "job_container/tmpfs");
    EXPECT_STREQ(reply.slurmd_parameters.data(), "config_overrides");
    EXPECT_STREQ(reply.spool_dir.data(), "/s/%n");
    EXPECT_NE(reply.version[0], '\0');
    EXPECT_EQ(reply.nodes, 1U);
    EXPECT_EQ(reply.peer_count, 0U);
}

TEST_F(HelperConfig, TellsWhatIsNotSet)
{
    const ConfigReply reply = ask_fake("");
    ASSERT_EQ(status_of(reply), ConfigStatus::answered);
    EXPECT_EQ(reply.flags, 0U);
    EXPECT_STREQ(reply.task_plugin.data(), "");
    EXPECT_EQ(reply.own, ConfigNode{});
    EXPECT_EQ(reply.nodes, 0U);
}

TEST_F(HelperConfig, NamesTheNodeAskedForOrThatOfThisHost)
{
    const std::string conf = "node n[1-3]|n[1-3]|x\nthis n2\naddress-of n2 198.51.100.2\nport n2 7002\nport n3 unknown\n";
    const ConfigReply here = ask_fake(conf);
    EXPECT_STREQ(here.own.name.data(), "n2");
    EXPECT_STREQ(here.own.address.data(), "198.51.100.2");
    EXPECT_EQ(here.own.port, 7002U);
    ASSERT_EQ(here.peer_count, 2U);
    EXPECT_STREQ(here.peers[0].name.data(), "n1");
    EXPECT_EQ(here.peers[0].port, 6818U);
    EXPECT_STREQ(here.peers[1].name.data(), "n3");
    EXPECT_EQ(here.peers[1].port, 6818U) << "what the resolver does not know has the usual port";
    EXPECT_STREQ(ask_fake(conf, "n3").own.name.data(), "n3");
    const ConfigReply nobody = ask_fake(conf, "n4");
    EXPECT_EQ(nobody.own, ConfigNode{});
    EXPECT_EQ(nobody.peer_count, 3U);
    EXPECT_EQ(ask_fake("node n1|n1|x\nthis gone\n").own, ConfigNode{});
}

TEST_F(HelperConfig, NamesSomeOfManyNodes)
{
    const ConfigReply reply = ask_fake("node n[001-500]|n|x\nthis n007\n");
    EXPECT_EQ(reply.nodes, 500U);
    ASSERT_EQ(reply.peer_count, most_peers);
    EXPECT_STREQ(reply.peers[0].name.data(), "n001");
    EXPECT_STREQ(reply.peers[7].name.data(), "n438") << "from the whole of the list";
}

TEST_F(HelperConfig, DoesNotWaitForAResolver)
{
    const ConfigReply reply = ask_fake("node n[1-2]|n|x\nthis n1\nport n2 hang\nset task task/cgroup\n");
    ASSERT_EQ(status_of(reply), ConfigStatus::answered);
    EXPECT_EQ(reply.peers[0].port, 6818U);
    EXPECT_STREQ(reply.task_plugin.data(), "task/cgroup");
}

TEST_F(HelperConfig, CutsWhatIsTooLong)
{
    const ConfigReply reply = ask_fake("set launch " + std::string(400, 'l') + "\nthis n1\nnode n1|n1|x\naddress-of n1 " + std::string(300, 'a') + '\n');
    ASSERT_EQ(status_of(reply), ConfigStatus::answered);
    EXPECT_EQ(std::string(reply.launch_parameters.data()), std::string(255, 'l'));
    EXPECT_EQ(reply.own, ConfigNode{}) << "half an address is none";
}

TEST_F(HelperConfig, TellsThatThereIsNoConfiguration)
{
    EXPECT_EQ(status_of(ask_fake("fatal\n")), ConfigStatus::no_config);
    const ConfigReply reply = ask<ConfigReply>(Verb::config, request_for(""), {"SLURM_CONF=/nowhere/slurm.conf"});
    EXPECT_EQ(status_of(reply), ConfigStatus::no_config);
    EXPECT_EQ(status_of(ask_real("ClusterName=\nSlurmctldHost=(\n")), ConfigStatus::no_config);
}

TEST_F(HelperConfig, ReadsARealConfiguration)
{
    std::array<char, 256> host{};
    ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
    if (char* const dot = std::strchr(host.data(), '.')) *dot = '\0';
    const std::string conf = "ClusterName=x\nSlurmctldHost=ctl(198.51.100.254)\nMpiDefault=none\nPrologFlags=X11\nProctrackType=proctrack/cgroup\n"
                             "TaskPlugin=task/affinity,task/cgroup\nUsePAM=1\nSlurmdSpoolDir=/var/spool/%n\nSlurmdPort=7000\n"
                             "NodeName=n[1-2] NodeAddr=198.51.100.[1-2]\nNodeName=here NodeHostname=" + std::string(host.data()) +
                             " NodeAddr=198.51.100.9 Port=7009\nPartitionName=p Nodes=ALL\n";
    const ConfigReply reply = ask_real(conf);
    ASSERT_EQ(status_of(reply), ConfigStatus::answered);
    EXPECT_EQ(reply.flags, flag_contain | flag_x11 | flag_use_pam) << "X11 implies contain";
    EXPECT_STREQ(reply.proctrack_type.data(), "proctrack/cgroup");
    EXPECT_STREQ(reply.task_plugin.data(), "task/affinity,task/cgroup");
    EXPECT_STREQ(reply.spool_dir.data(), "/var/spool/%n");
    EXPECT_STREQ(reply.own.name.data(), "here");
    EXPECT_STREQ(reply.own.address.data(), "198.51.100.9");
    EXPECT_EQ(reply.own.port, 7009U);
    EXPECT_EQ(reply.nodes, 3U);
    ASSERT_EQ(reply.peer_count, 2U);
    EXPECT_STREQ(reply.peers[1].address.data(), "198.51.100.2");
    EXPECT_EQ(reply.peers[1].port, 7000U);
}

}  // namespace
}  // namespace slurm_adopt::test
