// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "slurm_adopt/text.h"
#include "slurm_adopt/users.h"
#include "survey/controller_jobs.h"

namespace slurm_adopt::tool {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;

std::string user_of(const ExternStep& step)
{
    return step.owner ? printable(user_name(*step.owner)) : "?";
}

std::size_t sessions_of(const ListedJob& job)
{
    return static_cast<std::size_t>(std::count_if(job.processes.begin(), job.processes.end(),
                                                  [](const Process& process) { return process.session == process.pid; }));
}

Row row_of(const ListedJob& job)
{
    return {std::to_string(job.step.job_id),
            user_of(job.step),
            local_time(job.step.began_ns),
            job.processes_error.empty() ? std::to_string(sessions_of(job)) : "?",
            job.processes_error.empty() ? std::to_string(job.processes.size()) : "?",
            job.job.memory_bytes ? bytes_text(*job.job.memory_bytes) : "-",
            job.job.cpu_us ? cpu_text(*job.job.cpu_us) : "-",
            job.step.directories.empty() ? "-" : printable(job.step.directories.front().path)};
}

std::string padded(const Row& row, const std::vector<std::size_t>& widths)
{
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column)
        line += column + 1 == row.size() ? row[column] : fmt::format("{:<{}}  ", row[column], widths[column]);
    return line;
}

std::string since_text(const Process& process)
{
    return process.since_ns != 0 ? " since " + local_time(process.since_ns) : ", which does not let itself be looked at";
}

Json json_of(const Usage& usage)
{
    return {{"memory_bytes", usage.memory_bytes ? Json(*usage.memory_bytes) : Json()},
            {"cpu_us", usage.cpu_us ? Json(*usage.cpu_us) : Json()}};
}

Json json_of(const ListedJob& job)
{
    Json directories = Json::array();
    for (const CgroupEntry& entry : job.step.directories)
        directories.push_back({{"controllers", entry.controllers}, {"path", entry.path}});
    Json processes = Json::array();
    for (const Process& process : job.processes)
        processes.push_back({{"pid", process.pid},
                             {"parent", process.parent},
                             {"session", process.session},
                             {"command", process.command},
                             {"since", process.since_ns != 0 ? Json(utc_time(process.since_ns)) : Json()}});
    return {{"job", job.step.job_id},
            {"node", job.step.node},
            {"uid", job.step.owner ? Json(*job.step.owner) : Json()},
            {"user", job.step.owner ? Json(user_name(*job.step.owner)) : Json()},
            {"owner_by", std::string(code_of(job.step.owner_by))},
            {"trouble", job.step.trouble.empty() ? Json() : Json(job.step.trouble)},
            {"start", utc_time(job.step.began_ns)},
            {"start_ns", job.step.began_ns},
            {"start_by", job.step.began_by_cgroup ? "cgroup" : "socket"},
            {"slurmstepd", job.step.stepd},
            {"socket", job.step.socket},
            {"step_extern", directories},
            {"sessions", sessions_of(job)},
            {"processes", job.processes_error.empty() ? processes : Json()},
            {"processes_error", job.processes_error.empty() ? Json() : Json(job.processes_error)},
            {"used_by_job", json_of(job.job)},
            {"used_by_logins", json_of(job.extern_step)}};
}

bool has_step(const JobList& list, std::uint32_t job_id)
{
    return std::any_of(list.jobs.begin(), list.jobs.end(), [job_id](const ListedJob& job) { return job.step.job_id == job_id; });
}

void add_controller(const JobList& list, const ControllerList& controller, std::vector<std::string>& lines)
{
    if (!controller.error.empty()) {
        lines.push_back(fmt::format("{} says nothing: {}", controller.who, printable(controller.error)));
        return;
    }
    lines.push_back(fmt::format("{} knows {} job(s) on this node.", controller.who, controller.jobs.size()));
    for (const helper_wire::ControllerJob& job : controller.jobs)
        lines.push_back(fmt::format("  job {} of {}: {}, {} s old{}", job.job_id, printable(user_name(job.uid)), state_word(job),
                                    job.running_s, has_step(list, job.job_id) ? "" : ", WITHOUT an extern step here"));
}

Json json_of(const JobList& list, const ControllerList& controller)
{
    Json jobs = Json::array();
    for (const helper_wire::ControllerJob& job : controller.jobs)
        jobs.push_back({{"job", job.job_id},
                        {"uid", job.uid},
                        {"user", user_name(job.uid)},
                        {"state", std::string(state_word(job))},
                        {"running_s", job.running_s},
                        {"extern_step", has_step(list, job.job_id)}});
    return {{"asked", controller.who},
            {"error", controller.error.empty() ? Json() : Json(controller.error)},
            {"jobs", controller.error.empty() ? jobs : Json()}};
}

}  // namespace

std::vector<std::string> text_of(const JobList& list)
{
    std::vector<Row> rows = {{"JOB", "USER", "START", "LOGINS", "PROCS", "MEMORY", "CPU", "STEP_EXTERN"}};
    for (const ListedJob& job : list.jobs) rows.push_back(row_of(job));
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], row[column].size());

    std::vector<std::string> lines;
    if (list.jobs.empty()) {
        lines.emplace_back("No extern step runs on this node.");
    } else {
        lines.push_back(padded(rows.front(), widths));
    }
    for (std::size_t at = 0; at < list.jobs.size(); ++at) {
        const ListedJob& job = list.jobs[at];
        lines.push_back(padded(rows[at + 1], widths));
        for (const Process& process : job.processes)
            if (process.pid == process.session)
                lines.push_back(fmt::format("  login {}{}: {}", process.pid, since_text(process), printable(process.command)));
        if (!job.step.trouble.empty()) lines.push_back("  " + printable(job.step.trouble));
        if (!job.processes_error.empty()) lines.push_back("  processes: " + printable(job.processes_error));
    }
    if (list.controller) add_controller(list, *list.controller, lines);
    for (const std::string& warning : list.warnings) lines.push_back("warning: " + printable(warning));
    return lines;
}

nlohmann::json json_of(const JobList& list)
{
    Json jobs = Json::array();
    for (const ListedJob& job : list.jobs) jobs.push_back(json_of(job));
    return {{"jobs", jobs}, {"controller", list.controller ? json_of(list, *list.controller) : Json()}, {"warnings", list.warnings}};
}

}  // namespace slurm_adopt::tool
