// SPDX-License-Identifier: GPL-2.0-or-later
#include "many_jobs.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "cluster.h"
#include "job.h"
#include "process.h"

namespace slurm_adopt::e2e {
namespace {

constexpr std::chrono::minutes start_limit{4};
constexpr std::chrono::seconds no_progress{40};  // longer than the node needs to start one job of hundreds
constexpr std::chrono::minutes end_limit{2};  // Slurm itself gives up on a step after one

// Jobs whose slurmstepd of the extern step is in its cgroup.
std::map<std::uint32_t, pid_t> extern_stepds()
{
    std::map<std::uint32_t, pid_t> found;
    const std::string title = "slurmstepd: [";
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string line = read_whole(entry.path() / "cmdline");
        if (!line.starts_with(title) || line.find(".extern]") == std::string::npos) continue;
        const auto job = static_cast<std::uint32_t>(std::stoul(line.substr(title.size())));
        if (job_in(read_whole(entry.path() / "cgroup")) == job) found[job] = static_cast<pid_t>(std::stol(name));
    }
    return found;
}

// An array is the quickest way to many jobs; on the node each of its tasks is a job with a number of its own.
void submit(const std::string& user, int count)
{
    const Finished done = run(as_user(user, {"sbatch", "--quiet", "--array=1-" + std::to_string(count), "--mem=16", "--chdir=/",
                                             "--output=/dev/null", "--wrap", "exec sleep infinity"}));
    if (!done.ok()) throw std::runtime_error("sbatch: " + done.err);
}

// On a busy machine Slurm loses one of hundreds of jobs now and then: its start takes too long for slurmd, the job is held or
// runs without a step, and the node is drained. What has no extern step by now is ended, and others take its place.
void replace_lost(const std::vector<std::pair<std::string, int>>& counts, const std::map<std::uint32_t, pid_t>& stepds)
{
    std::string node = run({.argv = {"sinfo", "--noheader", "--format=%n"}}).out;
    node.erase(node.find_last_not_of('\n') + 1);
    (void)run({.argv = {"scontrol", "update", "NodeName=" + node, "State=RESUME"}});
    std::map<std::string, int> running;
    std::vector<std::string> lost = {"scancel", "--quiet"};
    // %i names one task of an array, where its number alone may name all of them.
    std::istringstream jobs(run({.argv = {"squeue", "--noheader", "--array", "--states=PD,CF,R", "--format=%A %i %u"}}).out);
    std::uint32_t job = 0;
    for (std::string name, user; jobs >> job >> name >> user;) {
        if (stepds.count(job) != 0) {
            ++running[user];
        } else {
            lost.push_back(name);
        }
    }
    if (lost.size() > 2) (void)run({.argv = lost});
    for (const auto& [user, count] : counts) {
        if (running[user] >= count) continue;
        std::fprintf(stderr, "%d of %d jobs of %s did not start; others take their place\n", count - running[user], count, user.c_str());
        submit(user, count - running[user]);
    }
}

}  // namespace

std::map<std::uint32_t, std::string> jobs_in_states(const std::string& states)
{
    std::map<std::uint32_t, std::string> jobs;
    std::istringstream lines(run({.argv = {"squeue", "--noheader", "--states=" + states, "--format=%A %u"}}).out);
    std::uint32_t job = 0;
    for (std::string user; lines >> job >> user;) jobs[job] = user;
    return jobs;
}

ManyJobs::ManyJobs(const std::vector<std::pair<std::string, int>>& counts)
{
    std::size_t total = 0;
    for (const auto& [user, count] : counts) {
        submit(user, count);
        total += static_cast<std::size_t>(count);
    }
    std::size_t seen = 0;
    auto progress = std::chrono::steady_clock::now();
    const auto all_run = [&] {
        ::usleep(200'000);  // each look costs
        const std::map<std::uint32_t, pid_t> stepds = extern_stepds();
        if (stepds.size() >= total) {
            users_ = jobs_in_states("R");
            if (users_.size() == total) return true;
        }
        if (std::exchange(seen, stepds.size()) != stepds.size()) progress = std::chrono::steady_clock::now();
        if (std::chrono::steady_clock::now() - progress > no_progress) {
            replace_lost(counts, stepds);
            progress = std::chrono::steady_clock::now();
        }
        return false;
    };
    if (eventually(all_run, start_limit)) return;
    // What is said of the node has to be asked before the jobs end; and the next test wants a node without them.
    const std::string why = std::to_string(extern_stepds().size()) + " of " + std::to_string(total) + " extern steps run; the node: " +
                            run({.argv = {"sinfo", "--noheader", "--format=%T, %E"}}).out;
    std::vector<std::string> names;
    for (const auto& [user, count] : counts) names.push_back(user);
    (void)end_jobs_of(names);
    throw std::runtime_error(why);
}

ManyJobs::~ManyJobs()
{
    std::vector<std::string> names;
    for (const auto& [job, user] : users_)
        if (std::find(names.begin(), names.end(), user) == names.end()) names.push_back(user);
    if (!end_jobs_of(names)) std::fprintf(stderr, "not all jobs have ended\n");
}

std::size_t ManyJobs::number_of(const std::string& user) const
{
    return static_cast<std::size_t>(std::count_if(users_.begin(), users_.end(), [&](const auto& job) { return job.second == user; }));
}

std::vector<pid_t> ManyJobs::stepds(const std::string& user) const
{
    std::vector<pid_t> pids;
    for (const auto& [job, pid] : extern_stepds())
        if (const auto found = users_.find(job); found != users_.end() && found->second == user) pids.push_back(pid);
    return pids;
}

bool end_jobs_of(const std::vector<std::string>& users)
{
    for (const std::string& user : users) (void)run({.argv = {"scancel", "--quiet", "--user=" + user}});
    const auto gone = [&] {
        ::usleep(100'000);
        std::string list;
        for (const std::string& user : users) list += (list.empty() ? "" : ",") + user;
        return run({.argv = {"squeue", "--noheader", "--user=" + list}}).out.empty();
    };
    if (!eventually(gone, end_limit)) return false;
    // slurmctld knows a moment before the last slurmstepd has ended.
    const auto alive = [] { return extern_stepds(); };
    const auto left = jobs_in_states("R");
    return eventually(
        [&] {
            for (const auto& [job, pid] : alive())
                if (left.count(job) == 0) return false;
            return true;
        },
        end_limit);
}

}  // namespace slurm_adopt::e2e
