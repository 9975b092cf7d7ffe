// SPDX-License-Identifier: GPL-2.0-or-later
#include "many_jobs.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "cluster.h"
#include "job.h"
#include "process.h"

namespace slurm_adopt::e2e {
namespace {

constexpr std::chrono::minutes start_limit{3};
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
        // An array is the quickest way to many jobs; on the node each of its tasks is a job with a number of its own.
        Command command = as_user(user, {"sbatch", "--quiet", "--array=1-" + std::to_string(count), "--mem=16", "--chdir=/",
                                         "--output=/dev/null", "--wrap", "exec sleep infinity"});
        const Finished done = run(command);
        if (!done.ok()) throw std::runtime_error("sbatch: " + done.err);
        total += static_cast<std::size_t>(count);
    }
    const auto all_run = [&] {
        ::usleep(200'000);  // each look costs
        if (extern_stepds().size() < total) return false;
        users_ = jobs_in_states("R");
        return users_.size() == total;
    };
    if (!eventually(all_run, start_limit))
        throw std::runtime_error(std::to_string(extern_stepds().size()) + " of " + std::to_string(total) + " extern steps run");
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
