// SPDX-License-Identifier: GPL-2.0-or-later
// The verb `jobs`, with a libslurm of ours; with the real one: tests/e2e/controller_test.cc.
#include <gtest/gtest.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>

#include "helper_process.h"
#include "support/temp_directory.h"

namespace slurm_adopt::helper_wire {

void PrintTo(const ControllerJob& job, std::ostream* out)
{
    *out << "job " << job.job_id << " of " << job.uid << " state " << job.state << " since " << job.running_s;
}

}  // namespace slurm_adopt::helper_wire

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;
using namespace helper_wire;

constexpr std::uint32_t alice = 1000;
constexpr std::uint32_t bob = 1001;

JobsRequest question(const std::string& node, std::uint32_t uid = alice)
{
    JobsRequest request;
    request.controller = by_rpc;
    request.uid = uid;
    std::copy(node.begin(), node.end(), request.node.begin());
    return request;
}

ControllerJob job(std::uint32_t id, JobState state, std::uint32_t running_s = 60, std::uint32_t uid = alice)
{
    return {id, uid, static_cast<std::uint32_t>(state), running_s};
}

std::string listed(std::uint32_t id, unsigned state, unsigned reason = 0, const std::string& nodes = "n1", std::uint32_t uid = alice,
                   long age = 60)
{
    std::ostringstream order;
    order << "listed " << id << ' ' << uid << ' ' << state << ' ' << reason << ' ' << age << ' ' << nodes << '\n';
    return order.str();
}

class HelperJobs : public testing::Test {
protected:
    void SetUp() override
    {
        if (!is_root()) GTEST_SKIP() << "needs root";
    }
    JobsReply ask_about(const std::string& conf, const JobsRequest& request) const
    {
        std::ofstream(conf_) << "node n[1-9]|n[1-9]|\n" << conf;
        return ask<JobsReply>(Verb::jobs, request, with_fake_slurm({"SLURM_CONF=" + conf_}));
    }
    std::vector<ControllerJob> jobs(const std::string& conf, const std::string& node = "n1", std::uint32_t uid = alice) const
    {
        const JobsReply reply = ask_about(conf, question(node, uid));
        EXPECT_EQ(static_cast<JobsStatus>(reply.status), JobsStatus::answered);
        return {reply.jobs.begin(), reply.jobs.begin() + reply.count};
    }
    JobsStatus status(const std::string& conf) const { return static_cast<JobsStatus>(ask_about(conf, question("n1")).status); }
    std::string seen() const
    {
        std::ostringstream text;
        text << std::ifstream(conf_ + ".seen").rdbuf();
        return text.str();
    }

    const TempDirectory directory_;
    const std::string conf_ = directory_.path() + "/slurm.conf";
};

using Jobs = std::vector<ControllerJob>;

TEST_F(HelperJobs, StatesAreStartingRunningOrEnding)
{
    const std::pair<unsigned, JobState> states[] = {{JOB_RUNNING, JobState::running},
                                                    {JOB_SUSPENDED, JobState::running},
                                                    {JOB_RUNNING | JOB_STOPPED, JobState::running},
                                                    {JOB_RUNNING | JOB_CONFIGURING, JobState::starting},
                                                    {JOB_RUNNING | JOB_CONFIGURING | JOB_POWER_UP_NODE, JobState::starting},
                                                    {JOB_RUNNING | JOB_COMPLETING, JobState::ending},
                                                    {JOB_COMPLETE | JOB_COMPLETING, JobState::ending},
                                                    {JOB_CANCELLED | JOB_COMPLETING | JOB_CONFIGURING, JobState::ending}};
    for (const auto& [slurm, ours] : states) EXPECT_EQ(jobs(listed(7, slurm)), Jobs{job(7, ours)}) << slurm;
    EXPECT_EQ(jobs(listed(7, JOB_RUNNING, WAIT_PROLOG)), Jobs{job(7, JobState::starting)});
    EXPECT_EQ(jobs(listed(7, JOB_RUNNING, WAIT_PRIORITY)), Jobs{job(7, JobState::running)});
}

TEST_F(HelperJobs, JobsThatHaveNotBegunOrHaveEndedAreNone)
{
    for (const unsigned state : {JOB_PENDING, JOB_COMPLETE, JOB_CANCELLED, JOB_FAILED, JOB_TIMEOUT, JOB_NODE_FAIL, JOB_PREEMPTED,
                                 JOB_BOOT_FAIL, JOB_DEADLINE, JOB_OOM})
        EXPECT_EQ(jobs(listed(7, state)), Jobs{}) << state;
    EXPECT_EQ(jobs(listed(7, JOB_PENDING | JOB_REQUEUE, WAIT_PROLOG)), Jobs{});
}

TEST_F(HelperJobs, OnlyThoseThatHaveTheNode)
{
    for (const char* nodes : {"n1", "n[1-3]", "gpu[001-004,7],n[1,4]", "n[3-5],n1"})
        EXPECT_EQ(jobs(listed(7, JOB_RUNNING, 0, nodes)), Jobs{job(7, JobState::running)}) << nodes;
    for (const char* nodes : {"n2", "n[2-9]", "n11", "n[10-19]", "xn1", "n01", "", "[", "n["})
        EXPECT_EQ(jobs(listed(7, JOB_RUNNING, 0, nodes)), Jobs{}) << nodes;
}

TEST_F(HelperJobs, OnlyThoseOfTheUser)
{
    const std::string both = listed(7, JOB_RUNNING) + listed(8, JOB_RUNNING, 0, "n1", bob);
    EXPECT_EQ(jobs(both), Jobs{job(7, JobState::running)});
    EXPECT_NE(seen().find("load_job_user 1000 flags " + std::to_string(SHOW_ALL | SHOW_LOCAL) + '\n'), std::string::npos) << seen();
    EXPECT_EQ(jobs(both, "n1", every_uid), (Jobs{job(7, JobState::running), job(8, JobState::running, 60, bob)}));
    EXPECT_NE(seen().find("load_jobs since 0 flags " + std::to_string(SHOW_ALL | SHOW_LOCAL) + '\n'), std::string::npos) << seen();
    EXPECT_NE(seen().find("freed 2\n"), std::string::npos) << seen();
}

TEST_F(HelperJobs, TimesAreByTheClockOfSlurmctld)
{
    EXPECT_EQ(jobs(listed(7, JOB_RUNNING, 0, "n1", alice, 0))[0].running_s, 0U);
    EXPECT_EQ(jobs(listed(7, JOB_RUNNING, 0, "n1", alice, 86400))[0].running_s, 86400U);
    EXPECT_EQ(jobs(listed(7, JOB_RUNNING, 0, "n1", alice, -5))[0].running_s, 0U) << "it will have begun in a moment";
}

TEST_F(HelperJobs, AHostNameStandsForItsNodeNames)
{
    const std::string conf = "node a[1-2]|host|\nnode b[1-2]|hostb[1-2]|\n" + listed(1, JOB_RUNNING, 0, "a1") +
                             listed(2, JOB_RUNNING, 0, "a2") + listed(3, JOB_RUNNING, 0, "b1") + listed(4, JOB_RUNNING, 0, "b2");
    EXPECT_EQ(jobs(conf, "a2"), Jobs{job(2, JobState::running)});
    EXPECT_EQ(jobs(conf, "host"), (Jobs{job(1, JobState::running), job(2, JobState::running)})) << "several slurmd on one machine";
    EXPECT_EQ(jobs(conf, "hostb2"), Jobs{job(4, JobState::running)});
    EXPECT_EQ(jobs(conf + listed(5, JOB_RUNNING, 0, "dynamic"), "dynamic"), Jobs{job(5, JobState::running)});
    EXPECT_EQ(jobs(conf, "nowhere"), Jobs{});
    EXPECT_EQ(jobs("node x|a2|\n" + conf + listed(6, JOB_RUNNING, 0, "x"), "a2"), Jobs{job(2, JobState::running)})
        << "a node's name comes before a host's";
}

TEST_F(HelperJobs, NoMoreThanFitIntoAReply)
{
    std::string conf;
    for (std::uint32_t id = 1; id <= 300; ++id) conf += listed(id, JOB_RUNNING);
    EXPECT_EQ(jobs(conf).size(), most_jobs);
}

TEST_F(HelperJobs, ErrorsAreToldApart)
{
    const std::map<int, JobsStatus> expected = {
        {SLURM_PROTOCOL_AUTHENTICATION_ERROR, JobsStatus::refused},
        {ESLURM_ACCESS_DENIED, JobsStatus::refused},
        {SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR, JobsStatus::unreachable},
        {SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT, JobsStatus::unreachable},
        {ECONNREFUSED, JobsStatus::unreachable},
        {SLURM_PROTOCOL_VERSION_ERROR, JobsStatus::malformed},
        {0, JobsStatus::malformed},
    };
    for (const auto& [number, wanted] : expected) EXPECT_EQ(status("not_listed " + std::to_string(number) + '\n'), wanted) << number;
}

TEST_F(HelperJobs, WhatIsNeededToAskMayBeMissing)
{
    EXPECT_EQ(status("fatal\n"), JobsStatus::no_config);
    EXPECT_EQ(status("auth auth/munge socket=/nowhere/munge\n"), JobsStatus::failed);
    EXPECT_EQ(seen().find("load_job"), std::string::npos) << "libslurm would try for two seconds";
    const auto begin = std::chrono::steady_clock::now();
    const JobsReply reply = ask<JobsReply>(Verb::jobs, question("n1"), {"SLURM_CONF=/nowhere/slurm.conf", "ASAN_OPTIONS=detect_leaks=0"});
    EXPECT_EQ(static_cast<JobsStatus>(reply.status), JobsStatus::no_config);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << "libslurm alone would try for a minute";
}

TEST_F(HelperJobs, OneJob)
{
    const auto about = [this](const std::string& conf, std::uint32_t id, std::uint32_t uid = alice) {
        std::ofstream(conf_) << conf;
        return ask<JobReply>(Verb::job, JobRequest{question("n1", uid), id}, with_fake_slurm({"SLURM_CONF=" + conf_}));
    };
    const std::string conf = listed(6, JOB_RUNNING) + listed(7, JOB_RUNNING, 0, "n[1-3]") + "details 7 my \x1b job|all|physics|3\n";
    const JobReply reply = about(conf, 7);
    EXPECT_EQ(static_cast<JobsStatus>(reply.status), JobsStatus::answered);
    EXPECT_EQ(reply.job_id, 7U);
    EXPECT_EQ(reply.uid, alice);
    EXPECT_EQ(reply.node_count, 3U);
    EXPECT_STREQ(reply.name.data(), "my \x1b job");
    EXPECT_STREQ(reply.partition.data(), "all");
    EXPECT_STREQ(reply.account.data(), "physics");
    EXPECT_STREQ(reply.nodes.data(), "n[1-3]");
    EXPECT_NE(seen().find("load_job 7 flags " + std::to_string(SHOW_ALL | SHOW_LOCAL) + '\n'), std::string::npos) << seen();
    EXPECT_STREQ(about(conf, 6).name.data(), "") << "what libslurm has no text for";
    // What there is not, or is somebody else's, is none.
    JobReply none;
    none.status = static_cast<std::uint32_t>(JobsStatus::answered);
    EXPECT_EQ(about(conf, 8), none);
    EXPECT_EQ(about(conf, 7, bob), none);
    EXPECT_EQ(about("not_listed " + std::to_string(ESLURM_INVALID_JOB_ID) + '\n', 7), none);
    EXPECT_EQ(about("not_listed " + std::to_string(ECONNREFUSED) + '\n', 7).status, static_cast<std::uint32_t>(JobsStatus::unreachable));
    EXPECT_EQ(about("fatal\n", 7).status, static_cast<std::uint32_t>(JobsStatus::no_config));
    // Too long is not cut.
    const JobReply longer = about(listed(7, JOB_RUNNING) + "details 7 " + std::string(longest_job_name, 'x') + "|all|physics|1\n", 7);
    EXPECT_STREQ(longer.name.data(), "");
    EXPECT_STREQ(longer.account.data(), "physics");
}

TEST_F(HelperJobs, SlurmrestdIsNotItsBusiness)
{
    JobsRequest request = question("n1");
    request.controller = by_rest;
    request.url[0] = 'u';
    request.key_file[0] = '/';
    EXPECT_EQ(static_cast<JobsStatus>(ask_about(listed(7, JOB_RUNNING), request).status), JobsStatus::failed);
    EXPECT_EQ(seen(), "");
}

}  // namespace
}  // namespace slurm_adopt::test
