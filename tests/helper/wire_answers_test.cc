// SPDX-License-Identifier: GPL-2.0-or-later
// What may be in the messages about the controller's jobs and about slurm.conf.
#include <gtest/gtest.h>

#include "wire_messages.h"

namespace slurm_adopt::helper_wire {
namespace {

TEST(WireJobsRequest, IsForOneControllerWithWhatItNeeds)
{
    EXPECT_EQ(fault(jobs_request()), "");
    JobsRequest request;
    put(request.node, "n1");
    for (const std::uint32_t controller : {0U, 3U, 0xffffffffU}) {
        request.controller = controller;
        EXPECT_EQ(fault(request), "no such controller") << controller;
    }
    request.controller = by_rpc;
    EXPECT_EQ(fault(request), "");
    put(request.user, "slurm");
    EXPECT_EQ(fault(request), "slurmctld is asked as if it were slurmrestd");
    request.controller = by_rest;
    EXPECT_EQ(fault(request), "no URL");
    put(request.url, "unix:/x");
    EXPECT_EQ(fault(request), "not one of token and key");
    put(request.key_file, "/k");
    EXPECT_EQ(fault(request), "");
    put(request.token_file, "/t");
    EXPECT_EQ(fault(request), "not one of token and key");
    request = jobs_request();
    request.node.fill('\0');
    EXPECT_EQ(fault(request), "no node");
    request.node[1] = 'n';
    EXPECT_EQ(fault(request), "a text does not end, or something follows it");
    request = jobs_request();
    request.ca_file.fill('c');
    EXPECT_EQ(fault(request), "a text does not end, or something follows it");
}

TEST(WireJobsReply, HoldsJobsOnlyWhenAnswered)
{
    JobsReply reply = jobs_reply();
    EXPECT_EQ(fault(reply), "");
    for (const std::uint32_t status : {0U, 2U, 3U, 4U, 5U}) {
        reply.status = status;
        EXPECT_EQ(fault(reply), "too many jobs") << status;
    }
    reply.status = 6;
    EXPECT_EQ(fault(reply), "no such status");
    reply = jobs_reply();
    for (const std::uint32_t count : {3U, 1U, 0U}) {
        reply.count = count;
        EXPECT_EQ(fault(reply), "not a list of jobs") << count;
    }
    reply.count = most_jobs + 1;
    EXPECT_EQ(fault(reply), "too many jobs");
    for (const ControllerJob job : {ControllerJob{0, 1, 1, 0}, ControllerJob{0xfffffffe, 1, 1, 0}, ControllerJob{1, every_uid, 1, 0},
                                    ControllerJob{1, 1, 0, 0}, ControllerJob{1, 1, 4, 0}}) {
        reply = jobs_reply();
        reply.jobs[1] = job;
        EXPECT_EQ(fault(reply), "not a list of jobs");
    }
}

TEST(WireJobRequest, IsAboutOneJobOfOneUser)
{
    JobRequest request = job_request();
    EXPECT_EQ(fault(request), "");
    for (const std::uint32_t no_job : {0U, 0xfffffffeU, 0xffffffffU}) {
        request.job_id = no_job;
        EXPECT_EQ(fault(request), "no job") << no_job;
    }
    request = job_request();
    request.about.uid = every_uid;
    EXPECT_EQ(fault(request), "a job of nobody's");
    request = job_request();
    request.about.controller = by_rpc;
    EXPECT_EQ(fault(request), "slurmctld is asked as if it were slurmrestd");
    request.about = {};
    EXPECT_EQ(fault(request), "no node");
}

TEST(WireJobReply, HoldsAJobOnlyWhenAnswered)
{
    JobReply reply = job_reply();
    for (const std::uint32_t status : {0U, 2U, 3U, 4U, 5U}) {
        reply.status = status;
        EXPECT_EQ(fault(reply), "status and job contradict each other") << status;
        JobReply nothing;
        nothing.status = status;
        EXPECT_EQ(fault(nothing), "") << status;
    }
    reply.status = 6;
    EXPECT_EQ(fault(reply), "no such status");
    reply.status = 1;
    reply.job_id = 0;
    EXPECT_EQ(fault(reply), "status and job contradict each other") << "details of no job";
    JobReply unknown;
    unknown.status = 1;
    EXPECT_EQ(fault(unknown), "");
    reply = job_reply();
    reply.job_id = 0xfffffffe;
    EXPECT_EQ(fault(reply), "not a job");
    reply = job_reply();
    reply.uid = every_uid;
    EXPECT_EQ(fault(reply), "not a job");
}

TEST(WireJobReply, EndsItsTexts)
{
    const auto refused = [](auto field) {
        JobReply reply = job_reply();
        (reply.*field).fill('x');
        EXPECT_EQ(fault(reply), "a text does not end, or something follows it");
        (reply.*field).back() = '\0';
        EXPECT_EQ(fault(reply), "");
        (reply.*field)[10] = '\0';
        EXPECT_EQ(fault(reply), "a text does not end, or something follows it");
        (reply.*field).fill('\0');
        EXPECT_EQ(fault(reply), "");
    };
    refused(&JobReply::name);
    refused(&JobReply::partition);
    refused(&JobReply::account);
    refused(&JobReply::nodes);
}

TEST(WireText, IsPutWholeOrNotAtAll)
{
    std::array<char, 4> field{};
    EXPECT_FALSE(put_whole(field, "four"));
    EXPECT_FALSE(put_whole(field, std::string_view("a\0b", 3)));
    EXPECT_EQ(field, (std::array<char, 4>{}));
    EXPECT_TRUE(put_whole(field, "abc"));
    EXPECT_EQ(field, (std::array<char, 4>{'a', 'b', 'c', '\0'}));
}

TEST(WireConfigReply, HoldsSettingsOnlyWhenAnswered)
{
    EXPECT_EQ(fault(config_reply()), "");
    ConfigReply reply;
    for (const std::uint32_t status : {0U, 1U, 2U}) {
        reply = {};
        reply.status = status;
        EXPECT_EQ(fault(reply), "") << status;
        reply.nodes = 1;
        EXPECT_EQ(fault(reply).empty(), status == 1) << status;
    }
    reply.status = 3;
    EXPECT_EQ(fault(reply), "no such status");
    reply = config_reply();
    reply.flags = 8;
    EXPECT_EQ(fault(reply), "no such flag");
    reply = config_reply();
    reply.task_plugin.fill('t');
    EXPECT_EQ(fault(reply), "a text does not end, or something follows it");
}

TEST(WireConfigReply, HoldsWholeNodes)
{
    for (const ConfigNode& half : {config_node("", "x", 1), config_node("n1", "", 1), config_node("n1", "x", 0),
                                   config_node("n1", "x", 65536)}) {
        ConfigReply reply = config_reply();
        reply.own = half;
        EXPECT_EQ(fault(reply), "not a node");
        reply = config_reply();
        reply.peers[1] = half;
        EXPECT_EQ(fault(reply), "not a list of nodes");
    }
    ConfigReply reply = config_reply();
    for (const std::uint32_t count : {0U, 1U, 3U}) {
        reply.peer_count = count;
        EXPECT_EQ(fault(reply), "not a list of nodes") << count;
    }
    for (const std::uint32_t count : {4U, 9U, 0xffffffffU}) {
        reply.peer_count = count;
        EXPECT_EQ(fault(reply), "too many nodes") << count;
    }
}

}  // namespace
}  // namespace slurm_adopt::helper_wire
