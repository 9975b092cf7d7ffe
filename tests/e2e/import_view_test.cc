// SPDX-License-Identifier: GPL-2.0-or-later
// import_env= in a job that has no process yet: what the controller says is what the job's own processes have later.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "cluster.h"
#include "job.h"
#include "login.h"
#include "nodes.h"
#include "sshd.h"

namespace slurm_adopt::e2e {
namespace {

using Variables = std::map<std::string, std::string>;

Variables variables_of(const std::string& text)
{
    Variables variables;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        if (const auto at = line.find('='); at != std::string::npos) variables[line.substr(0, at)] = line.substr(at + 1);
    return variables;
}

// Those that the controller knows.
Variables view_in(const std::string& text)
{
    const Variables all = variables_of(text);
    Variables view;
    for (const char* name : {"SLURM_JOB_NAME", "SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT", "SLURM_JOB_NODELIST", "SLURM_JOB_NUM_NODES"})
        if (const auto found = all.find(name); found != all.end()) view.insert(*found);
    return view;
}

std::string rest()
{
    const char* const url = std::getenv("CLUSTER_REST");
    const char* const key = std::getenv("CLUSTER_JWT_KEY");
    if (url == nullptr || key == nullptr) throw std::runtime_error("run in tests/cluster/cluster.sh --jwt");
    return "controller=rest rest_url=http://" + std::string(url) + " rest_key_file=" + key;
}

// What a batch job has that is submitted like this.
Variables in_batch_job(const std::vector<std::string>& options)
{
    static int count = 0;
    const std::string file = "/tmp/import_view." + std::to_string(++count);
    const Job job = Job::batch("alice", "env >" + file + ".new; mv " + file + ".new " + file, options);
    struct stat status {};
    EXPECT_TRUE(eventually([&] { return ::stat(file.c_str(), &status) == 0; }));
    return view_in(read_whole(file));
}

const std::vector<std::string> named = {"--job-name=two words, $(and) more", "--account=physics"};

class ImportView : public ::testing::Test {
protected:
    // slurm.conf of this cluster has a prolog, which is controller_test.cc's.
    static void SetUpTestSuite()
    {
        const std::string prolog = cluster().directory + "/prolog";
        write_whole(prolog, "#!/bin/sh\n");
        std::filesystem::permissions(prolog, std::filesystem::perms{0755});
    }
    static std::string line(const std::string& controller)
    {
        return account_line("strict log_level=verbose import_env=SLURM_* helper=" + helper_copy() + ' ' + controller);
    }
};

TEST_F(ImportView, AJobOfSallocsHasWhatABatchJobHas)
{
    for (const auto& options : {named, std::vector<std::string>{"--job-name=n"}}) {
        const Variables batch = in_batch_job(options);
        ASSERT_EQ(batch.size(), options.size() + 3) << "it has all of them, and an account where it is given";
        const Job job = Job::allocate("alice", options);
        for (const std::string& controller : {std::string("controller=rpc"), rest()}) {
            const Stack sshd("sshd", sshd_stack({line(controller)}));
            const LogMark mark;
            const Finished session = ssh("alice", "env");
            EXPECT_EQ(view_in(session.out), batch) << controller << '\n' << session.out << session.err << mark.text();
            EXPECT_EQ(variables_of(session.out)["SLURM_JOB_ID"], job.id_text());
            EXPECT_EQ(mark.decision("alice")["reason"], "one_job");
        }
        // What a task of the job has later is the same; srun from outside gives it less, and names the step after its program.
        const auto task = run(as_user("alice", {"srun", "--jobid=" + job.id_text(), "env"}));
        Variables later = view_in(task.out);
        later.erase("SLURM_JOB_NAME");
        EXPECT_TRUE(later.contains("SLURM_JOB_NODELIST") && later.contains("SLURM_JOB_PARTITION")) << task.out << task.err;
        for (const auto& [name, value] : later) EXPECT_EQ(value, batch.at(name)) << name;
    }
}

TEST_F(ImportView, ANameWithControlCharactersStaysOutside)
{
    const Job job = Job::allocate("alice", {"--job-name=a\nLD_PRELOAD=/evil\033]0;x\a"});
    for (const std::string& controller : {std::string("controller=rpc"), rest()}) {
        const Stack sshd("sshd", sshd_stack({line(controller)}));
        const LogMark mark;
        const Finished session = ssh("alice", "env");
        const Variables all = variables_of(session.out);
        EXPECT_FALSE(all.contains("SLURM_JOB_NAME")) << controller << session.out;
        EXPECT_FALSE(all.contains("LD_PRELOAD")) << session.out;
        EXPECT_EQ(view_in(session.out)["SLURM_JOB_NODELIST"], cluster().node) << mark.text();
    }
}

TEST_F(ImportView, AStoppedControllerCostsASecond)
{
    const Job job = Job::allocate("alice");
    const Stopped slurmctld("slurmctld");
    for (const std::string& controller : {std::string("controller=rpc"), rest()}) {
        const Stack sshd("sshd", sshd_stack({line(controller)}));
        const LogMark mark;
        const auto began = std::chrono::steady_clock::now();
        const Finished session = ssh("alice", "env");
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{4}) << controller;
        EXPECT_EQ(variables_of(session.out)["SLURM_JOB_ID"], job.id_text()) << session.err;
        EXPECT_EQ(view_in(session.out), Variables{}) << controller;
        EXPECT_FALSE(mark.lines_with("import_env: controller: ").empty()) << mark.text();
    }
}

}  // namespace
}  // namespace slurm_adopt::e2e
