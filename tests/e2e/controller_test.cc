// SPDX-License-Identifier: GPL-2.0-or-later
// Logins of users who have no extern step: during the prolog, after the step has died, without a job. By slurmctld's word,
// without it, and when it does not answer. slurm.conf has the prolog that is written here.
#include <gtest/gtest.h>
#include <security/pam_appl.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "many_jobs.h"
#include "nodes.h"
#include "tool.h"

namespace slurm_adopt::e2e {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

// How long the prolog of a job takes, for as long as this lives.
class Prolog {
public:
    explicit Prolog(std::chrono::seconds takes)
    {
        const std::string path = cluster().directory + "/prolog";
        write_whole(path, "#!/bin/sh\nsleep " + std::to_string(takes.count()) + '\n');
        std::filesystem::permissions(path, std::filesystem::perms{0755});
    }
    ~Prolog() { write_whole(cluster().directory + "/prolog", "#!/bin/sh\n"); }
    Prolog(const Prolog&) = delete;
    Prolog& operator=(const Prolog&) = delete;
};

// A daemon that does not get to answer.
class Frozen {
public:
    explicit Frozen(const std::string& daemon) : pid_(std::stoi(read_whole(cluster().directory + "/pid/" + daemon))) { send(SIGSTOP); }
    ~Frozen() { send(SIGCONT); }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;

private:
    void send(int signal) const { EXPECT_EQ(::kill(pid_, signal), 0); }
    pid_t pid_;
};

std::string from_environment(const char* name)
{
    const char* value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: run in tests/cluster/cluster.sh --jwt");
    return value;
}

// Both ways to ask.
std::vector<std::string> controllers()
{
    return {"controller=rpc",
            "controller=rest rest_url=http://" + from_environment("CLUSTER_REST") + " rest_key_file=" + from_environment("CLUSTER_JWT_KEY")};
}

class Controller : public ::testing::Test {
protected:
    void TearDown() override { EXPECT_TRUE(end_jobs_of({"alice", "bob"})); }

    static std::string with_helper(const std::string& options)
    {
        return "strict log_level=debug helper=" + helper_copy() + ' ' + options;
    }
    static Json explained(const std::string& user)
    {
        const Finished done = tool({"explain", user, "--service", "e2e", "--json"});
        const Json json = Json::parse(done.out, nullptr, false);
        EXPECT_FALSE(json.is_discarded()) << done.out << done.err;
        return json.is_discarded() ? Json::object() : json;
    }
    static Json step_of(const Json& json, const std::string& name)
    {
        for (const Json& step : json["steps"])
            if (step["step"] == name) return step;
        return nullptr;
    }
    // The same without waiting, and the same words.
    static void expect_explained(const std::string& user, const Login& login, const std::string& reason)
    {
        const Json json = explained(user);
        EXPECT_EQ(json["reason"], reason) << json.dump(2);
        EXPECT_EQ(json["let_in"], login.result == PAM_SUCCESS);
        std::string told;
        for (const auto& message : json["told"]) told += message.get<std::string>() + '\n';
        EXPECT_NE(login.messages.find(told), std::string::npos) << told << login.messages;
    }
    static std::string reason_of(const LogMark& mark, const std::string& user = "alice") { return mark.decision(user)["reason"]; }

    const Prolog quick_{0s};
};

TEST_F(Controller, ALoginDuringThePrologWaitsAndIsAdopted)
{
    std::vector<std::string> ways = controllers();
    ways.emplace_back();
    for (const std::string& way : ways) {
        const std::string options = way + (way.empty() ? "" : " ") + "wait_for_job=30";
        SCOPED_TRACE(options);
        const Prolog slow{4s};
        const Stack sshd("sshd", sshd_stack({account_line(with_helper(options))}));
        const Stack stack("e2e", transparent_stack("service=* " + with_helper(options)));
        const LogMark mark;
        const Job job = Job::grant("alice");
        const Json json = explained("alice");
        EXPECT_EQ(step_of(json, "wait")["at_most_s"], 30) << json.dump(2);
        if (options.starts_with("controller")) {
            EXPECT_EQ(json["reason"], "job_starting") << json.dump(2);
            const Json said = step_of(json, "controller");
            ASSERT_EQ(said["jobs"].size(), 1U) << json.dump(2);
            EXPECT_EQ(said["jobs"][0]["state"], "starting");
            EXPECT_EQ(said["jobs"][0]["job"], job.id());
        }
        const Finished session = ssh("alice", "cat /proc/self/cgroup; echo $SLURM_JOB_ID");
        EXPECT_EQ(session.code, 0) << session.err;
        EXPECT_EQ(job_in(session.out), job.id()) << session.out;
        EXPECT_GT(session.took, 2s) << "the prolog takes four";
        EXPECT_LT(session.took, 20s);
        EXPECT_EQ(reason_of(mark), "one_job") << mark.text();
        EXPECT_EQ(mark.lines_with("waiting for an extern step of user alice").size(), 1U) << mark.text();
    }
}

TEST_F(Controller, AJobThatIsStillStartingIsNamed)
{
    const Prolog slow{7s};
    const Job job = Job::grant("alice");
    const auto ways = controllers();
    for (const int seconds : {0, 1}) {
        const std::string options = with_helper(ways.at(static_cast<std::size_t>(seconds)) + " wait_for_job=" + std::to_string(seconds));
        const LogMark mark;
        const Login login = pam_login("alice", options);
        EXPECT_EQ(login.result, PAM_PERM_DENIED) << login.messages;
        EXPECT_NE(login.messages.find("your job " + job.id_text() + " is still starting on "), std::string::npos) << login.messages;
        EXPECT_GE(login.account_took, std::chrono::seconds(seconds));
        EXPECT_LT(login.account_took, std::chrono::seconds(seconds) + 4s);
        const Decision decision = mark.decision("alice");
        EXPECT_EQ(decision["reason"], "job_starting") << decision.line;
        EXPECT_EQ(decision["jobs"], "0");
        EXPECT_EQ(decision["job"], job.id_text());
        const Stack stack("e2e", transparent_stack("service=* " + options));
        expect_explained("alice", login, "job_starting");
    }
}

TEST_F(Controller, WhoHasNoJobIsRefusedAtOnce)
{
    const Job others = Job::allocate("bob");
    for (const std::string& way : controllers()) {
        SCOPED_TRACE(way);
        const std::string options = with_helper(way + " wait_for_job=30");
        const LogMark mark;
        const Login login = pam_login("alice", options);
        EXPECT_EQ(login.result, PAM_PERM_DENIED);
        EXPECT_LT(login.account_took, 10s);
        EXPECT_EQ(reason_of(mark), "no_jobs");
        EXPECT_EQ(mark.lines_with("controller:").size(), 0U) << mark.text();
        EXPECT_EQ(mark.lines_with("waiting").size(), 0U) << mark.text();
        const Stack stack("e2e", transparent_stack("service=* " + options));
        expect_explained("alice", login, "no_jobs");
        EXPECT_EQ(step_of(explained("alice"), "controller")["jobs"].size(), 0U);
    }
}

// One that waits for resources has no node, and one that is ending is none.
TEST_F(Controller, JobsThatDoNotRunHereDoNotCount)
{
    const Job held = Job::held("alice");
    const LogMark mark;
    EXPECT_EQ(pam_login("alice", with_helper("controller=rpc wait_for_job=30")).result, PAM_PERM_DENIED);
    EXPECT_EQ(reason_of(mark), "no_jobs");
}

TEST_F(Controller, AJobWithoutAnExternStepIsNamed)
{
    const Job job = Job::batch("alice");
    ASSERT_EQ(::kill(job.stepd(), SIGKILL), 0);
    std::filesystem::remove(job.socket());
    // Until then it counts as one that has just begun.
    EXPECT_NE(pam_login("alice", with_helper("controller=rpc")).messages.find("is still starting"), std::string::npos);
    ::sleep(6);
    for (const std::string& way : controllers()) {
        SCOPED_TRACE(way);
        const std::string options = with_helper(way + " wait_for_job=30");
        const LogMark mark;
        const Login login = pam_login("alice", options);
        EXPECT_EQ(login.result, PAM_PERM_DENIED);
        EXPECT_EQ(reason_of(mark), "no_extern_step") << mark.text();
        EXPECT_NE(login.messages.find("your job " + job.id_text() + " runs on "), std::string::npos) << login.messages;
        EXPECT_NE(login.messages.find("tell your administrator"), std::string::npos) << login.messages;
        EXPECT_EQ(mark.lines_with("PrologFlags=contain").size(), 1U) << mark.text();
        EXPECT_LT(login.account_took, 10s);
        const Stack stack("e2e", transparent_stack("service=* " + options));
        expect_explained("alice", login, "no_extern_step");
    }

    const Stack sshd("sshd", sshd_stack({account_line(with_helper("controller=rpc"))}));
    const Finished list = tool({"list", "--controller", "--json"});
    EXPECT_EQ(list.code, 0) << list.err;
    const Json json = Json::parse(list.out, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << list.out;
    ASSERT_EQ(json["controller"]["jobs"].size(), 1U) << list.out;
    EXPECT_EQ(json["controller"]["jobs"][0]["job"], job.id());
    EXPECT_EQ(json["controller"]["jobs"][0]["user"], "alice");
    EXPECT_EQ(json["controller"]["jobs"][0]["extern_step"], false);
    const Finished text = tool({"list", "--controller"});
    EXPECT_NE(text.out.find("job " + job.id_text() + " of alice: running, "), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("WITHOUT an extern step here"), std::string::npos) << text.out;
}

TEST_F(Controller, ASlurmctldThatDoesNotAnswerChangesNothing)
{
    const Frozen slurmctld("slurmctld");
    for (const std::string& way : controllers()) {
        SCOPED_TRACE(way);
        const std::string options = with_helper(way + " controller_timeout=1");
        const LogMark mark;
        const Login login = pam_login("alice", options);
        EXPECT_EQ(login.result, PAM_PERM_DENIED);
        EXPECT_EQ(reason_of(mark), "no_jobs");
        EXPECT_NE(login.messages.find("you have no job running"), std::string::npos) << login.messages;
        EXPECT_GE(login.account_took, 800ms);
        EXPECT_LT(login.account_took, 4s);
        EXPECT_EQ(mark.lines_with("controller: ").size(), 1U) << mark.text();
        const Stack stack("e2e", transparent_stack("service=* " + options));
        expect_explained("alice", login, "no_jobs");
        const Login waiting = pam_login("alice", options + " wait_for_job=2");
        EXPECT_EQ(waiting.result, PAM_PERM_DENIED);
        EXPECT_GE(waiting.account_took, 2800ms) << "it waits as without a controller";
        EXPECT_LT(waiting.account_took, 8s);
    }
}

TEST_F(Controller, WhatElseKeepsItFromAnsweringChangesNothing)
{
    struct Case {
        std::string what;
        std::string options;
        const char* stopped;
    };
    for (const Case& each : {Case{"slurmctld is down", with_helper("controller=rpc"), "slurmctld"},
                             Case{"munge is down", with_helper("controller=rpc"), "munged"},
                             Case{"no slurm.conf", with_helper("controller=rpc slurm_conf=/nowhere"), nullptr},
                             Case{"no helper", "strict log_level=debug controller=rpc helper=/nowhere/helper", nullptr},
                             Case{"nobody listens, and no token", with_helper("controller=rest rest_url=http://127.0.0.1:1 rest_token_file=/t"), nullptr}}) {
        SCOPED_TRACE(each.what);
        const auto stopped = each.stopped == nullptr ? nullptr : std::make_unique<Stopped>(each.stopped);
        const LogMark mark;
        const Login login = pam_login("alice", each.options);
        EXPECT_EQ(login.result, PAM_PERM_DENIED);
        EXPECT_EQ(reason_of(mark), "no_jobs");
        EXPECT_LT(login.account_took, 4s);
        EXPECT_EQ(mark.lines_with("controller: ").size(), 1U) << mark.text();
    }
}

TEST_F(Controller, IsNotAskedForWhoHasAJob)
{
    const Job job = Job::allocate("alice");
    const Frozen slurmctld("slurmctld");
    const Login login = pam_login("alice", with_helper("controller=rpc controller_timeout=5 wait_for_job=30"));
    EXPECT_EQ(login.result, PAM_SUCCESS) << login.messages;
    EXPECT_EQ(login.job, job.id());
    EXPECT_LT(login.account_took, 4s);
}

TEST_F(Controller, WithoutOneTheWaitHasAnEnd)
{
    const LogMark mark;
    const Login login = pam_login("alice", with_helper("wait_for_job=2 timeout=1"));
    EXPECT_EQ(login.result, PAM_PERM_DENIED);
    EXPECT_EQ(reason_of(mark), "no_jobs");
    EXPECT_GE(login.account_took, 2s);
    EXPECT_LT(login.account_took, 5s);
}

TEST_F(Controller, NobodyElseWaits)
{
    const std::string wait = " log_level=debug wait_for_job=30";
    EXPECT_LT(pam_login("root", "strict" + wait).account_took, 10s);
    EXPECT_LT(pam_login("root", "strict ignore_root=0" + wait).account_took, 10s);
    EXPECT_LT(pam_login("alice", "strict exempt_users=alice" + wait).account_took, 10s);
    {
        const Stack other(transparent_stack("service=sshd strict" + wait));
        EXPECT_LT(pam_login_by("e2e", "alice").account_took, 10s);
    }
    const Stack stack({"account required pam_permit.so", "session required " + cluster().module + " service=* strict" + wait});
    const Login session = pam_login_by("e2e", "alice");
    EXPECT_EQ(session.result, PAM_SUCCESS);
    EXPECT_LT(session.took, 15s);
}

}  // namespace
}  // namespace slurm_adopt::e2e
