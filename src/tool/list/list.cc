// SPDX-License-Identifier: GPL-2.0-or-later
#include "list.h"

#include <algorithm>
#include <chrono>

#include "asking.h"
#include "slurm_adopt/file.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::chrono::seconds longest_readings{5};

}  // namespace

Result<JobList> list_jobs(const Roots& roots, const std::string& spool_dir, const std::string& nodename, Deadline deadline)
{
    auto found = survey(roots, spool_dir, nodename, deadline);
    if (!found) return std::move(found).error();
    const auto mountinfo = read_mountinfo(roots.proc);
    const std::string mounts = mountinfo ? mountinfo.value() : "";
    const std::int64_t boot_ns = boot_time();
    // A time of its own: what the steps took is no reason to say less of the processes.
    const Deadline readings = Deadline::after(longest_readings);
    JobList list;
    list.warnings = std::move(found.value().warnings);
    for (ExternStep& step : found.value().steps) {
        ListedJob job;
        auto processes = adopted_processes(roots, mounts, step.directories, step.stepd, boot_ns, readings);
        if (processes) {
            job.processes = std::move(processes).value();
        } else {
            job.processes_error = processes.error().context;
        }
        job.extern_step = usage_of(mounts, step.directories);
        job.job = usage_of(mounts, job_directories(step.directories));
        job.step = std::move(step);
        list.jobs.push_back(std::move(job));
    }
    return list;
}

ControllerList ask_for_jobs(const Options& options)
{
    const ControllerQuestion question = controller_question(options, std::nullopt);
    ControllerList list{question.rest ? "slurmrestd" : "slurmctld", {}, {}};
    auto jobs = ask_controller(helper_settings_of(options), question, Deadline::after(options.controller_timeout));
    if (!jobs) {
        list.error = jobs.error().context;
        return list;
    }
    list.jobs = std::move(jobs).value();
    std::sort(list.jobs.begin(), list.jobs.end(),
              [](const auto& a, const auto& b) { return a.job_id < b.job_id; });
    return list;
}

}  // namespace slurm_adopt::tool
