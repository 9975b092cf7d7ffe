// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt explain beside the module: the same decision by real Slurm, and nobody is adopted.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "many_jobs.h"
#include "nodes.h"
#include "tool.h"

namespace slurm_adopt::e2e {
namespace {

using Json = nlohmann::json;

// The pids in all extern steps of the node; other clusters of this machine have trees of their own.
std::string adopted_processes()
{
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("/sys/fs/cgroup/freezer"))
        if (entry.path().filename() == "cgroup.procs" && entry.path().string().find("/slurm_" + cluster().node + '/') != std::string::npos &&
            entry.path().string().find("/step_extern") != std::string::npos)
            all += entry.path().string() + ": " + read_whole(entry.path()) + '\n';
    return all;
}

// The process that slurmstepd itself puts into an extern step comes a moment after the step. Slurm leaves empty directories of
// jobs that have ended.
bool every_step_has_its_process()
{
    const auto running = jobs_in_states("R");
    const std::string all = adopted_processes();
    return std::none_of(running.begin(), running.end(), [&](const auto& job) {
        return all.find("/job_" + std::to_string(job.first) + "/step_extern/cgroup.procs: \n") != std::string::npos;
    });
}

enum class Jobs { run, begin };  // while they begin, slurmstepd itself puts processes into their steps

// Runs explain, which moves nobody, and then the module by the same stack; the login is compared with what was explained.
Json expect_agreement(const std::string& user, const std::string& options, Jobs jobs = Jobs::run)
{
    SCOPED_TRACE(user + ": " + options);
    const std::string service = "e2e";
    const Stack stack(service, transparent_stack(options));
    if (jobs == Jobs::run) {
        EXPECT_TRUE(eventually(every_step_has_its_process, std::chrono::seconds{5})) << adopted_processes();
    }
    const std::string before = adopted_processes();
    const Finished explained = tool({"explain", user, "--service", service, "--json"});
    if (jobs == Jobs::run) {
        EXPECT_EQ(adopted_processes(), before);
    }
    const Json json = Json::parse(explained.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << explained.out << explained.err;
    if (json.is_discarded()) return {};
    const Login login = pam_login_by(service, user);
    EXPECT_NE(login.result, -1) << login.error;
    return json;
}

const std::string any = "service=* ";

TEST(Explain, WithoutAJob)
{
    EXPECT_EQ(expect_agreement("alice", any + "strict")["reason"], "no_jobs");
    EXPECT_EQ(expect_agreement("alice", any + "strict action_no_jobs=ignore")["decision"], "ignore");
    const Job other = Job::allocate("bob");
    const Json json = expect_agreement("alice", any + "strict");
    EXPECT_EQ(json["reason"], "no_jobs");
    ASSERT_EQ(json["jobs_on_node"].size(), 1U);
    EXPECT_EQ(json["jobs_on_node"][0]["job"], other.id());
    EXPECT_EQ(json["jobs_on_node"][0]["user"], "bob");
}

TEST(Explain, OneJob)
{
    const Job job = Job::allocate("alice");
    const Json json = expect_agreement("alice", any + "strict");
    EXPECT_EQ(json["reason"], "one_job");
    EXPECT_EQ(json["options"]["strict"]["value"], "1");
    EXPECT_EQ(json["stack"]["lines"][0]["file"], "/etc/pam.d/e2e");
}

TEST(Explain, AJobThatHasJustBegun)
{
    for (int round = 0; round < 4; ++round) {
        const Job job = Job::allocate_in_haste("alice");
        EXPECT_EQ(expect_agreement("alice", any + "strict", Jobs::begin)["reason"], "one_job");
    }
}

// su in a job: the process is there already.
TEST(Explain, AProcessInAJob)
{
    const Job older = Job::batch("alice");
    const Job newer = Job::allocate("alice");
    const Stack stack("e2e", transparent_stack(any + "strict"));
    const std::string enter = "for procs in /sys/fs/cgroup/*/slurm*/uid_*/job_" + older.id_text() +
                              "/step_batch/cgroup.procs; do echo $$ >$procs || exit 99; done; exec \"$@\"";
    const Finished there = tool({"explain", "alice", "--service", "e2e", "--json"}, {"sh", "-c", enter, "sh"});
    const Json json = Json::parse(there.out, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << there.out << there.err;
    EXPECT_EQ(json["reason"], "current_job");
    EXPECT_EQ(json["steps"].back()["job"], older.id());
    const Json outside = Json::parse(tool({"explain", "alice", "--service", "e2e", "--json"}).out, nullptr, false);
    EXPECT_EQ(outside["reason"], "newest_job") << outside.dump(2);
}

TEST(Explain, SeveralJobs)
{
    const Job first = Job::allocate("alice");
    const Job second = Job::allocate("alice");
    EXPECT_EQ(expect_agreement("alice", any + "strict")["steps"][2]["candidates"][0]["job"], second.id());
    EXPECT_EQ(expect_agreement("alice", any + "strict action_unknown=deny")["reason"], "unknown_job");
    EXPECT_EQ(expect_agreement("alice", any + "strict action_unknown=allow")["decision"], "allow");
}

TEST(Explain, WhoIsPassedOverAndWhatIsWrong)
{
    const Job job = Job::allocate("alice");
    EXPECT_EQ(expect_agreement("alice", any + "strict action_no_jobs=denyx")["reason"], "bad_option");
    EXPECT_EQ(expect_agreement("root", any + "denyx")["reason"], "root");
    EXPECT_EQ(expect_agreement("root", any + "strict")["reason"], "root");
    EXPECT_EQ(expect_agreement("alice", any + "strict exempt_users=alice")["reason"], "exempt_user");
    EXPECT_EQ(expect_agreement("adm", any + "strict exempt_groups=admins")["reason"], "exempt_group");
    EXPECT_EQ(expect_agreement("alice", "strict service=sshd,login")["reason"], "service");
}

TEST(Explain, AStoppedSlurmstepdOfOnesOwn)
{
    const Job job = Job::allocate("alice");
    const pid_t stepd = job.stepd();
    ASSERT_GT(stepd, 1);
    // Stopped any sooner, it would never put its own process into the step.
    ASSERT_TRUE(eventually(every_step_has_its_process, std::chrono::seconds{5})) << adopted_processes();
    ASSERT_EQ(::kill(stepd, SIGSTOP), 0);
    EXPECT_EQ(expect_agreement("alice", any + "strict timeout=1")["reason"], "adopt_timeout");
    EXPECT_EQ(expect_agreement("alice", any + "timeout=1")["decision"], "allow");
    EXPECT_EQ(::kill(stepd, SIGCONT), 0);
}

TEST(Explain, AsksNobodyToAdopt)
{
    const Job job = Job::allocate("alice");
    const Stack stack("e2e", transparent_stack(any + "strict"));
    const std::string trace = cluster().directory + "/explain.strace";
    const std::vector<std::string> strace = {"strace", "-f", "-xx", "-e", "trace=sendto,sendmsg,write,setns", "-o", trace};
    const auto sent_by = [&](const Finished& finished) {
        EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
        return read_whole(trace);
    };
    const std::string add_extern_pid = "\\x16\\x00\\x00\\x00";
    const std::string step_state = "\\x05\\x00\\x00\\x00";
    const std::string explained = sent_by(tool({"explain", "alice", "--service", "e2e"}, strace));
    EXPECT_NE(explained.find(step_state), std::string::npos) << explained;
    EXPECT_EQ(explained.find(add_extern_pid), std::string::npos) << explained;
    EXPECT_EQ(explained.find("setns"), std::string::npos) << explained;
    // The same trace shows it where it is done.
    const std::string logged_in = sent_by(run(login_command("e2e", "alice", strace)));
    EXPECT_NE(logged_in.find(add_extern_pid), std::string::npos) << logged_in;
    std::filesystem::remove(trace);
}

TEST(Explain, UsersExplainThemselvesOnly)
{
    const Job job = Job::allocate("alice");
    const Stack stack("e2e", transparent_stack(any + "strict"));
    const Finished own = run(as_user("alice", tool_command({"explain", "alice", "--service", "e2e", "--json"})));
    EXPECT_EQ(own.code, 0) << own.out << own.err;
    const Json json = Json::parse(own.out, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << own.out;
    EXPECT_EQ(json["reason"], "one_job");
    EXPECT_FALSE(json["unseen"].empty());
    const Finished others = run(as_user("alice", tool_command({"explain", "bob"})));
    EXPECT_EQ(others.code, 3) << others.out;
    EXPECT_NE(others.err.find("only root"), std::string::npos) << others.err;
}

TEST(Explain, CommandLine)
{
    EXPECT_EQ(tool({"explain"}).code, 2);
    EXPECT_EQ(tool({"explain", "alice", "--from", "a-host-name"}).code, 2);
    EXPECT_EQ(tool({"explain", "alice", "--service", "../sshd"}).code, 2);
    EXPECT_EQ(tool({"explain", "alice", "--stack", "/nowhere/at/all"}).code, 3);
    EXPECT_EQ(tool({"explain", "root"}).code, 0);
}

// Three nodes: a session from a job of n1 to n2, and what n2 says about the next one from there.
TEST(CallerIdExplain, TheSourceNodeIsAsked)
{
    const Stack sshd("sshd", caller_id_stack(""));
    NodesJob first("alice", {"n1", "n2"});
    NodesJob second("alice", {"n1", "n2"});
    const auto explain_on_n2 = [](const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"explain", "alice", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Finished explained = run(on("n2", {.argv = tool_command(arguments)}));
        return Json::parse(explained.out, nullptr, false);
    };
    const LogMark mark;
    (void)first.begin("ssh -oBatchMode=yes n2 'sleep 20'");
    Json json;
    EXPECT_TRUE(eventually(
        [&] {
            json = explain_on_n2({"--from", "198.51.100.1"});
            return !json.is_discarded() && json["reason"] == "source_job";
        },
        std::chrono::seconds{10}))
        << json.dump(2);
    EXPECT_EQ(json["steps"].back()["job"], first.id()) << json.dump(2);
    EXPECT_EQ(mark.decision("alice")["reason"], "source_job") << mark.text();
    EXPECT_EQ(mark.decision("alice")["job"], first.id_text()) << mark.text();
    json = explain_on_n2({});
    EXPECT_EQ(json["reason"], "newest_job");
    EXPECT_EQ(json["steps"].back()["job"], second.id());
    json = explain_on_n2({"--from", "198.51.100.100:40022"});
    EXPECT_EQ(json["reason"], "newest_job") << json.dump(2);
    EXPECT_NE(json.dump().find("not_a_node"), std::string::npos) << json.dump(2);
}

}  // namespace
}  // namespace slurm_adopt::e2e
