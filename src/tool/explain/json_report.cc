// SPDX-License-Identifier: GPL-2.0-or-later
#include <nlohmann/json.hpp>

#include "report.h"
#include "slurm_adopt/users.h"
#include "survey/controller_jobs.h"

namespace slurm_adopt::tool {
namespace {

using Json = nlohmann::json;

std::string text(std::string_view view)
{
    return std::string(view);
}

Json json_of(const SeenSteps& seen)
{
    Json jobs = Json::array();
    for (const SeenJob& job : seen.jobs)
        jobs.push_back({{"job", job.job_id},
                        {"node", job.node},
                        {"socket", job.socket},
                        {"slurmstepd", job.stepd},
                        {"protocol", job.protocol},
                        {"owner_by", "slurmstepd"},
                        {"uid_by_cgroup", job.owner_by_kernel ? Json(*job.owner_by_kernel) : Json()},
                        {"step_extern", job.step}});
    return {{"jobs", jobs},
            {"ending", seen.ending},
            {"silent", seen.silent},
            {"warnings", seen.warnings},
            {"error", seen.error.empty() ? Json() : Json(seen.error)}};
}

Json json_of(const SeenSource& seen)
{
    Json result{{"answer", "none"},
                {"job", Json()},
                {"error", seen.error.empty() ? Json() : Json(seen.error)},
                {"helper", seen.program}};
    if (!seen.answer) return result;
    switch (seen.answer->kind) {
    case SourceAnswer::Kind::no_job: result["answer"] = "no_job"; break;
    case SourceAnswer::Kind::not_a_node: result["answer"] = "not_a_node"; break;
    case SourceAnswer::Kind::job:
        result["answer"] = "job";
        result["job"] = seen.answer->job_id;
        break;
    }
    return result;
}

Json json_of(const SeenChoice& seen)
{
    Json jobs = Json::array();
    for (const OwnJob& job : seen.jobs)
        jobs.push_back({{"job", job.job_id}, {"began_ns", job.began_ns == 0 ? Json() : Json(job.began_ns)}});
    Json candidates = Json::array();
    for (const SeenCandidate& candidate : seen.candidates)
        candidates.push_back({{"job", candidate.job_id}, {"reason", text(reason_code(candidate.reason))}});
    return {{"jobs", jobs}, {"candidates", candidates}, {"otherwise", text(reason_code(seen.otherwise))}};
}

Json json_of(const SeenAdoption& seen)
{
    return {{"job", seen.job_id},
            {"would_be_asked", seen.would_be_asked},
            {"failure", seen.would_be_asked ? Json() : Json(text(reason_code(seen.failure)))},
            {"detail", seen.detail.empty() ? Json() : Json(seen.detail)},
            {"verifiable", seen.verifiable}};
}

Json json_of(const SeenFile& seen)
{
    return {{"job", seen.job ? Json(*seen.job) : Json()}, {"error", seen.error.empty() ? Json() : Json(seen.error)}};
}

Json json_of(const SeenController& seen)
{
    Json result{{"by", seen.by_rest ? "rest" : "rpc"}, {"jobs", Json()}, {"error", seen.error.empty() ? Json() : Json(seen.error)}};
    if (!seen.jobs) return result;
    result["jobs"] = Json::array();
    for (const helper_wire::ControllerJob& job : *seen.jobs)
        result["jobs"].push_back({{"job", job.job_id}, {"state", text(state_word(job))}, {"running_s", job.running_s}});
    return result;
}

Json json_of(const Step& step)
{
    Json result;
    switch (step.kind) {
    case StepKind::before_jobs: result = {{"step", "before_jobs"}}; break;
    case StepKind::jobs:
        result = json_of(*step.jobs);
        result["step"] = "jobs";
        break;
    case StepKind::source:
        result = json_of(*step.source);
        result["step"] = "source";
        break;
    case StepKind::file:
        result = json_of(*step.file);
        result["step"] = "file";
        break;
    case StepKind::choice:
        result = json_of(*step.choice);
        result["step"] = "choice";
        break;
    case StepKind::adoption:
        result = json_of(*step.adoption);
        result["step"] = "adoption";
        break;
    case StepKind::controller:
        result = json_of(*step.controller);
        result["step"] = "controller";
        break;
    case StepKind::wait:
        result = {{"step", "wait"}, {"at_most_s", step.wait->at_most.count()}};
        break;
    }
    result["us"] = step.took.count();
    return result;
}

Json json_of_stack(const Explanation& explanation)
{
    Json lines = Json::array();
    if (explanation.stack)
        for (const pam_stack::Line& line : explanation.stack->lines)
            lines.push_back({{"file", line.place.file},
                             {"line", line.place.line},
                             {"control", line.control.text()},
                             {"module", line.target},
                             {"arguments", line.arguments}});
    return {{"file", explanation.stack ? Json(explanation.stack->file) : Json()},
            {"lines", lines},
            {"note", explanation.stack_note.empty() ? Json() : Json(explanation.stack_note)}};
}

Json json_of_node(const Explanation& explanation)
{
    if (!explanation.others) return {};
    Json jobs = Json::array();
    for (const ExternStep& step : explanation.others->steps)
        jobs.push_back({{"job", step.job_id},
                        {"uid", step.owner ? Json(*step.owner) : Json()},
                        {"user", step.owner ? Json(user_name(*step.owner)) : Json()},
                        {"owner_by", text(code_of(step.owner_by))},
                        {"trouble", step.trouble.empty() ? Json() : Json(step.trouble)}});
    return jobs;
}

}  // namespace

nlohmann::json json_of(const Explanation& explanation)
{
    const DryRun& run = explanation.run;
    Json options = Json::object();
    for (const OptionInForce& option : explanation.options)
        options[option.name] = {{"value", option.value}, {"from", option.from_line ? "line" : "default"}};
    Json steps = Json::array();
    for (const Step& step : run.steps) steps.push_back(json_of(step));
    return {{"user", explanation.user},
            {"uid", explanation.uid ? Json(*explanation.uid) : Json()},
            {"service", explanation.service},
            {"stack", json_of_stack(explanation)},
            {"options", options},
            {"option_errors", explanation.option_errors},
            {"source", {{"note", explanation.source_note}, {"connection", explanation.has_connection}}},
            {"steps", steps},
            {"jobs_on_node", json_of_node(explanation)},
            {"decision", text(verdict_word(run.decision.verdict))},
            {"reason", text(reason_code(run.decision.reason))},
            {"let_in", explanation.let_in},
            {"uncertain", explanation.uncertain},
            {"outcome", explanation.outcome},
            {"told", run.told},
            {"log", run.log},
            {"unseen", run.unseen},
            {"us", run.took.count()}};
}

}  // namespace slurm_adopt::tool
