// SPDX-License-Identifier: GPL-2.0-or-later
// What the controller says, in explain and in list. A script answers in the helper's place; e2e asks a real slurmctld.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "explain/explain.h"
#include "list/report.h"
#include "node_test.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;
using helper_wire::ControllerJob;
using helper_wire::JobState;

ControllerJob job(std::uint32_t id, JobState state, uid_t uid = test::alice)
{
    return {id, uid, static_cast<std::uint32_t>(state), 60};
}

class ExplainController : public testing::Test {
protected:
    std::string helper_that_says(const std::vector<ControllerJob>& jobs)
    {
        helper_wire::JobsReply reply;
        reply.status = static_cast<std::uint32_t>(helper_wire::JobsStatus::answered);
        reply.count = static_cast<std::uint32_t>(jobs.size());
        std::copy(jobs.begin(), jobs.end(), reply.jobs.begin());
        const auto bytes = encode(helper_wire::Verb::jobs, reply);
        directory_.write("reply", std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
        const std::size_t question = sizeof(helper_wire::Header) + sizeof(helper_wire::JobsRequest);
        return helper("head -c " + std::to_string(question) + " <&3 >/dev/null; exec cat " + directory_ / "reply" + " >&3");
    }
    std::string helper(const std::string& body)
    {
        const std::string path = directory_.write("helper", "#!/bin/sh\n" + body + '\n');
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        EXPECT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
        return "helper=" + path;
    }
    Explanation explained(const std::string& options)
    {
        directory_.write("sshd", "account required pam_slurm_adopt.so " + options + '\n');
        ExplainRequest request;
        request.user = "alice";
        request.service = "sshd";
        request.source = source_of_session(nullptr);
        request.directories.paths = {directory_.path()};
        auto result = explain(request);
        if (!result) throw std::runtime_error(result.error().context);
        return std::move(result).value();
    }
    static void expect_in(const Explanation& explanation, std::initializer_list<const char*> parts)
    {
        std::string all;
        for (const std::string& line : text_of(explanation, Output{})) all += line + '\n';
        for (const char* part : parts) EXPECT_NE(all.find(part), std::string::npos) << part << "\nis not in\n" << all;
    }

    test::TempDirectory directory_;
    test::Node node_;
};

TEST_F(ExplainController, AJobThatIsStartingAndNoWait)
{
    const auto begin = std::chrono::steady_clock::now();
    const Explanation explanation = explained("strict controller=rpc wait_for_job=30 " + helper_that_says({job(7, JobState::starting)}));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s) << "it does not wait";
    expect_in(explanation, {"cluster   slurmctld knows 1 job(s) of alice on this node [", "job 7: starting, 60 s old",
                            "wait      up to 30 s for an extern step of alice; not waited for now [", "deny job_starting",
                            "would be refused, unless an extern step comes within 30 s: the controller says that the user's job is starting",
                            "your job 7 is still starting on "});
    const auto json = json_of(explanation);
    EXPECT_EQ(json["reason"], "job_starting");
    const auto& steps = json["steps"];
    ASSERT_EQ(steps.size(), 5U) << steps.dump(2);  // before_jobs, jobs, controller, jobs, wait
    EXPECT_EQ(steps[2]["step"], "controller");
    EXPECT_EQ(steps[2]["by"], "rpc");
    EXPECT_EQ(steps[2]["jobs"][0]["state"], "starting");
    EXPECT_EQ(steps[4]["step"], "wait");
    EXPECT_EQ(steps[4]["at_most_s"], 30);
}

TEST_F(ExplainController, WithoutOneItSaysWhatItWouldWait)
{
    const Explanation explanation = explained("strict wait_for_job=5");
    expect_in(explanation, {"wait      up to 5 s", "would be refused, unless an extern step comes within 5 s: the user has no job"});
    EXPECT_EQ(json_of(explanation)["reason"], "no_jobs");
}

TEST_F(ExplainController, AJobWithoutAnExternStep)
{
    expect_in(explained("strict controller=rpc " + helper_that_says({job(7, JobState::running)})),
              {"job 7: running, 60 s old", "deny no_extern_step", "PrologFlags=contain"});
}

TEST_F(ExplainController, OneThatDoesNotAnswer)
{
    const Explanation explanation = explained("strict controller=rpc controller_timeout=1 " + helper("exit 7"));
    expect_in(explanation, {"cluster   slurmctld says nothing: helper ", "exited with 7", "deny no_jobs"});
    EXPECT_EQ(json_of(explanation)["steps"][2]["jobs"], nullptr);
    expect_in(explained("strict controller=rest rest_url=unix:/r rest_key_file=/k controller_timeout=1 " + helper("exit 7")),
              {"slurmrestd says nothing: helper", "slurm-adopt-rest"});
}

TEST_F(ExplainController, IsNotAskedForWhoHasAJob)
{
    (void)node_.start(7);
    const Explanation explanation = explained("strict controller=rpc wait_for_job=30 " + helper_that_says({}));
    const auto json = json_of(explanation);
    for (const auto& step : json["steps"]) EXPECT_NE(step["step"], "controller");
}

std::string text(const JobList& list)
{
    std::string all;
    for (const std::string& line : text_of(list)) all += line + '\n';
    return all;
}

TEST(ListController, JobsWithoutAStepAreMarked)
{
    JobList list;
    list.jobs.emplace_back().step.job_id = 7;
    EXPECT_EQ(json_of(list)["controller"], nullptr);
    list.controller = ControllerList{"slurmctld", {job(7, JobState::running), job(8, JobState::starting), job(9, JobState::ending)}, {}};
    EXPECT_NE(text(list).find("slurmctld knows 3 job(s) on this node.\n"), std::string::npos) << text(list);
    EXPECT_NE(text(list).find(": running, 60 s old\n"), std::string::npos) << text(list);
    EXPECT_NE(text(list).find(": starting, 60 s old, WITHOUT an extern step here\n"), std::string::npos) << text(list);
    const auto json = json_of(list)["controller"];
    EXPECT_EQ(json["asked"], "slurmctld");
    EXPECT_EQ(json["jobs"][0]["extern_step"], true);
    EXPECT_EQ(json["jobs"][2]["extern_step"], false);
    EXPECT_EQ(json["jobs"][2]["state"], "ending");
    list.controller = ControllerList{"slurmrestd", {}, "x\ny"};
    EXPECT_NE(text(list).find("slurmrestd says nothing: x?y\n"), std::string::npos) << text(list);
    EXPECT_EQ(json_of(list)["controller"]["jobs"], nullptr);
}

}  // namespace
}  // namespace slurm_adopt::tool
