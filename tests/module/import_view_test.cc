// SPDX-License-Identifier: GPL-2.0-or-later
// import_env= and controller=: what a session gets of a job that has no process to ask. The helper is a script that answers
// what it is told to.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "mount_namespace.h"
#include "node_test.h"
#include "slurm_adopt/helper_wire.h"
#include "support/forked.h"
#include "support/private_run.h"

namespace slurm_adopt::test {
namespace {

using namespace helper_wire;

constexpr std::uint32_t alice_uid = 41001;

void put(std::span<char> field, std::string_view text)
{
    ASSERT_TRUE(put_whole(field, text));
}

JobReply details(const std::string& name = "my job")
{
    JobReply reply;
    reply.status = static_cast<std::uint32_t>(JobsStatus::answered);
    reply.job_id = 7;
    reply.uid = alice_uid;
    reply.node_count = 3;
    put(reply.name, name);
    put(reply.partition, "all");
    put(reply.account, "physics");
    put(reply.nodes, "n[1-3]");
    return reply;
}

JobReply failed(JobsStatus status)
{
    JobReply reply;
    reply.status = static_cast<std::uint32_t>(status);
    return reply;
}

const std::vector<std::string> all_of_it = {"SLURM_JOB_NAME=my job", "SLURM_JOB_PARTITION=all", "SLURM_JOB_ACCOUNT=physics",
                                            "SLURM_JOB_NODELIST=n[1-3]", "SLURM_JOB_NUM_NODES=3"};
const std::string no_process = "info job 7: import_env: no process of the user's has an environment to give";

class ImportView : public NodeTest {
protected:
    void SetUp() override { ASSERT_TRUE(run_.works()) << "these tests need root"; }

    // A helper that says this, whatever the question; it writes down what it was asked.
    std::string answering(const std::vector<std::byte>& reply)
    {
        spool_.write("reply", std::string(reinterpret_cast<const char*>(reply.data()), reply.size()));
        return helper("head -c " + std::to_string(sizeof(Header) + sizeof(JobRequest)) + " <&3 >" + spool_ / "asked" + "; exec cat " +
                      spool_ / "reply" + " >&3");
    }
    std::string answering(const JobReply& reply) { return answering(encode(Verb::job, reply)); }
    std::string helper(const std::string& body)
    {
        const std::string path = spool_.write("helper", "#!/bin/sh\n" + body + '\n');
        EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
        EXPECT_EQ(::chmod(spool_.path().c_str(), 0755), 0);
        return "helper=" + path;
    }
    // Whether the helper has been started since the last time.
    bool was_asked() const { return std::filesystem::remove(spool_ / "asked"); }
    // The one question that was asked.
    JobRequest asked() const
    {
        const std::string text = read("asked");
        const auto bytes = std::as_bytes(std::span(text));
        if (bytes.size() < sizeof(Header) || !decode_header(bytes.first(sizeof(Header)), Kind::request)) return {};
        const auto request = decode_body<JobRequest>(bytes.subspan(sizeof(Header)));
        return request ? request.value() : JobRequest{};
    }
    std::string read(const std::string& name) const
    {
        std::ifstream file(spool_ / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    Outcome import(const std::string& helper, const std::string& patterns = "SLURM_*", std::vector<std::string> more = {"controller=rpc"},
                   Login login = {})
    {
        login.options.insert(login.options.end(), {"strict", "log_level=verbose", "import_env=" + patterns, helper});
        login.options.insert(login.options.end(), more.begin(), more.end());
        return log_in(login);
    }
    std::vector<std::string> with_known(const std::vector<std::string>& more) const
    {
        std::vector<std::string> all = {"SLURM_JOB_ID=7", "SLURM_JOB_UID=" + std::to_string(alice_uid), "SLURM_NODENAME=" + tree_.node()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    // Adopted, whatever came of the question; and what the log says of that.
    static void expect_adopted(const std::string& what, const Outcome& outcome, const std::vector<std::string>& said)
    {
        EXPECT_EQ(outcome.code, "success") << what;
        EXPECT_EQ(outcome.complaints, "") << what;
        auto log = said;
        log.push_back(decided("info adopt one_job", 1, 7, "yes", "closed"));
        EXPECT_EQ(outcome.log, log) << what;
    }

    const PrivateRun run_;
};

TEST_F(ImportView, WhatTheControllerKnowsOfTheJob)
{
    (void)start(7);
    const std::string says = answering(details());
    const Outcome outcome = import(says);
    expect_adopted("all", outcome, {no_process});
    EXPECT_EQ(outcome.environment, with_known(all_of_it));
    const JobRequest request = asked();
    EXPECT_EQ(request.job_id, 7U);
    EXPECT_EQ(request.about.uid, alice_uid);
    EXPECT_EQ(request.about.controller, by_rpc);
    EXPECT_GT(request.about.patience_ms, 500U);
    EXPECT_LE(request.about.patience_ms, 1000U);
    // As the list says, and over nothing that is there.
    EXPECT_EQ(import(says, "SLURM_JOB_NODELIST,SLURM_JOB_NUM_NODES").environment,
              (std::vector<std::string>{"SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n[1-3]", "SLURM_JOB_NUM_NODES=3"}));
    EXPECT_EQ(import(says, "SLURM_JOB_NAME", {"controller=rpc"}, {.environment = {"SLURM_JOB_NAME=ours", "KEPT=1"}}).environment,
              (std::vector<std::string>{"SLURM_JOB_NAME=ours", "KEPT=1", "SLURM_JOB_ID=7"}));
    JobReply little = details();
    little.account = {};
    little.nodes = {};
    little.node_count = 0;
    EXPECT_EQ(import(answering(little), "SLURM_JOB_*").environment,
              (std::vector<std::string>{"SLURM_JOB_ID=7", "SLURM_JOB_UID=41001", "SLURM_JOB_NAME=my job", "SLURM_JOB_PARTITION=all"}));
}

TEST_F(ImportView, RestIsAskedByTheNeighbour)
{
    (void)start(7);
    (void)answering(details());
    std::filesystem::copy_file(spool_ / "helper", spool_ / "slurm-adopt-rest");
    const Outcome outcome =
        import(helper("exit 7"), "SLURM_*", {"controller=rest", "rest_url=http://127.0.0.1:1", "rest_token_file=/t"});
    EXPECT_EQ(outcome.environment, with_known(all_of_it));
    EXPECT_EQ(asked().about.controller, by_rest);
    EXPECT_STREQ(asked().about.url.data(), "http://127.0.0.1:1");
}

TEST_F(ImportView, NobodyIsAskedInVain)
{
    const FakeStepd& stepd = start(7);
    const std::string says = answering(details());
    const auto unasked = [&](const char* what, const std::string& patterns, const std::vector<std::string>& more, const Login& login = {}) {
        const Outcome outcome = import(says, patterns, more, login);
        EXPECT_EQ(outcome.code, "success") << what;
        EXPECT_FALSE(was_asked()) << what;
        return outcome.environment;
    };
    EXPECT_EQ(unasked("off", "SLURM_*", {}), with_known({}));
    (void)unasked("nothing of it wanted", "SLURM_CPUS_*,CUDA_*,SLURM_JOB_ID", {"controller=rpc"});
    (void)unasked("it is there", "SLURM_JOB_NAME", {"controller=rpc"}, {.environment = {"SLURM_JOB_NAME=ours"}});
    EXPECT_EQ(log_in({.options = {"strict", "controller=rpc", says}}).environment, std::vector<std::string>{"SLURM_JOB_ID=7"});
    EXPECT_FALSE(was_asked()) << "no import_env";
    (void)unasked("the account phase has done it", "SLURM_*", {"controller=rpc"},
                  {.phases = Phases::session, .environment = {"SLURM_JOB_ID=7"}});
    // A process of the job that has the user's name for it.
    const std::string& extern_step = stepd.step().adopted;
    const std::string batch = extern_step.substr(0, extern_step.rfind('/')) + "/step_batch";
    std::filesystem::create_directories(batch);
    Ready ready;
    const Forked task([&] {
        if (!move_to_cgroup(batch, 0) || ::setresgid(alice_uid, alice_uid, alice_uid) != 0 || ::setresuid(alice_uid, alice_uid, alice_uid) != 0)
            return false;
        const char* const environment[] = {"SLURM_JOB_ID=7", "SLURM_A=1", nullptr};
        const char* const arguments[] = {"sleep", "1000", nullptr};
        if (!ready.tell()) return false;
        (void)::execve("/bin/sleep", const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
        return false;
    });
    ASSERT_TRUE(ready.wait());
    // Until it has begun its program it has no environment to give.
    std::vector<std::string> imported;
    for (int tries = 0; tries < 100 && imported != with_known({"SLURM_A=1"}); ++tries) {
        (void)was_asked();
        imported = import(says).environment;
    }
    EXPECT_EQ(imported, with_known({"SLURM_A=1"}));
    EXPECT_FALSE(was_asked()) << "a process has answered";
}

// The job's name is the user's, and what is told of another job is not believed.
// The job's mounts may have anything in the helper's place.
TEST_F(ImportView, NoHelperIsRunInAJobsNamespaces)
{
    std::string name;
    const Fd offered = mount_namespace(name);
    ASSERT_TRUE(offered);
    (void)start(7, {.namespaces = {{0, offered.get()}}});
    const Outcome joined = import(answering(details()), "SLURM_*", {"controller=rpc"}, {.phases = Phases::both});
    EXPECT_EQ(joined.mount_namespace, name);
    EXPECT_EQ(joined.environment, with_known({}));
    EXPECT_FALSE(was_asked());
}

TEST_F(ImportView, NothingIsBelievedThatIsNoPlainText)
{
    (void)start(7);
    const std::vector<std::string> others(all_of_it.begin() + 1, all_of_it.end());
    for (const char* name : {"a\nLD_PRELOAD=/evil", "\x1b]0;evil\a", "\xff", "() { :; }; evil", "\r", "\xc2\x9b"}) {
        const Outcome outcome = import(answering(details(name)));
        expect_adopted(name, outcome, {no_process, "info job 7: import_env: left out 1 that are no plain text, 0 that are too many"});
        EXPECT_EQ(outcome.environment, with_known(others)) << name;
    }
    for (const char* name : {"LD_PRELOAD=/evil", "$(evil)", "\xc3\xa4", " "}) {
        auto all = all_of_it;
        all.front() = "SLURM_JOB_NAME=" + std::string(name);
        EXPECT_EQ(import(answering(details(name))).environment, with_known(all)) << name;
    }
}

TEST_F(ImportView, AControllerThatDoesNotAnswerKeepsNobodyOut)
{
    (void)start(7);
    JobReply other_uid = details();
    other_uid.uid = alice_uid + 1;
    JobReply other_job = details();
    other_job.job_id = 8;
    auto endless = encode(Verb::job, details());
    std::fill_n(reinterpret_cast<char*>(endless.data()) + sizeof(Header) + offsetof(JobReply, name), longest_job_name, 'x');
    const auto expect_said = [this](const char* what, const std::string& helper, const std::string& said) {
        const Outcome outcome = import(helper);
        ASSERT_EQ(outcome.log.size(), 3U) << what;
        EXPECT_TRUE(outcome.log[1].starts_with("info job 7: import_env: controller: ")) << what << ": " << outcome.log[1];
        EXPECT_NE(outcome.log[1].find(said), std::string::npos) << what << ": " << outcome.log[1];
        expect_adopted(what, outcome, {no_process, outcome.log[1]});
        EXPECT_EQ(outcome.environment, with_known({})) << what;
        EXPECT_LT(outcome.milliseconds, 2000) << what;
    };
    expect_said("another user's", answering(other_uid), "answer about another job");
    expect_said("another job", answering(other_job), "answer about another job");
    expect_said("no job", answering(failed(JobsStatus::answered)), "no such job");
    expect_said("unreachable", answering(failed(JobsStatus::unreachable)), "the controller does not answer");
    expect_said("refused", answering(failed(JobsStatus::refused)), "does not take our credential");
    expect_said("failed", answering(failed(JobsStatus::failed)), "could not be asked");
    expect_said("a text without end", answering(endless), "a text does not end");
    expect_said("of an older release", answering(encode(Verb::jobs, JobsReply{})), "helper");
    expect_said("garbage", answering(std::vector<std::byte>(20000, std::byte{'A'})), "helper");
    expect_said("hangs", helper("sleep 60"), "killed at its deadline");
    expect_said("crashes", helper("kill -SEGV $$"), "killed by signal 11");
    expect_said("missing", "helper=" + spool_ / "nowhere", "nowhere");
}

TEST_F(ImportView, TheWaitIsPartOfTheLoginsTime)
{
    (void)start(7);
    const Outcome outcome = import(helper("sleep 60"), "SLURM_*", {"controller=rpc", "timeout=1"});
    EXPECT_EQ(outcome.code, "success");
    EXPECT_GE(outcome.milliseconds, 300);
    EXPECT_LT(outcome.milliseconds, 900) << "half of what is left";
}

}  // namespace
}  // namespace slurm_adopt::test
