// SPDX-License-Identifier: GPL-2.0-or-later
// import_env=: the session gets variables of the job that has adopted it.
#include <algorithm>
#include <array>
#include <string_view>

#include "asking.h"
#include "login_phase.h"
#include "slurm_adopt/environment_import.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// For all of it: who has his processes' pages behind a file system that does not answer waits that long for his login.
constexpr std::chrono::milliseconds import_time{300};
// For the controller's view: the login waits no longer than that for a few variables.
constexpr std::chrono::milliseconds view_time{1000};

// What a batch job has of them and slurmctld knows.
constexpr std::array<std::string_view, 5> viewed = {"SLURM_JOB_NAME", "SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT",
                                                    "SLURM_JOB_NODELIST", "SLURM_JOB_NUM_NODES"};

// As in /proc/<pid>/environ, so that all rules hold for it: the name is the user's to choose.
std::string block_of(const JobDetails& job)
{
    const std::array<std::string, viewed.size()> values = {job.name, job.partition, job.account, job.nodes,
                                                           job.node_count == 0 ? "" : std::to_string(job.node_count)};
    std::string block;
    for (std::size_t i = 0; i < viewed.size(); ++i)
        if (!values[i].empty()) block.append(viewed[i]).append(1, '=').append(values[i]).append(1, '\0');
    return block;
}

}  // namespace

void LoginPhase::import_environment(Adoption& adoption, const std::string& node, const std::string& job_before,
                                    Deadline deadline)
{
    const std::string job = std::to_string(record_.job_id);
    if (phase_ == Phase::session && (is_in_namespaces() || job_before == job)) return;  // the account phase has done it
    if (phase_ == Phase::session && !job_before.empty()) forget_imported();

    // What PAM has set already comes from root's configuration, or from what is known for sure.
    const auto set = [this](std::string_view name, std::string_view value) {
        if (host_.has_environment(std::string(name))) return true;
        const auto done = host_.set_environment(std::string(name), std::string(value));
        if (!done) log(LogLevel::error, Priority::warning, done.error().context);
        return done.ok();
    };
    const std::string uid = std::to_string(record_.uid.value_or(0));
    for (const auto& [name, value] : {Variable{"SLURM_JOB_UID", uid}, Variable{"SLURM_NODENAME", node}})
        if (is_importable(options_.import_env, name) && !value.empty() && !set(name, value)) return;

    const auto block = adoption.environment.read(deadline.sooner(Deadline::after(import_time)));
    if (!block) {
        log(LogLevel::error, Priority::warning,
            "job " + job + ": import_env: " + printable(block.error().context) +
                "; the session has none of its variables");
        return;
    }
    std::string view;
    if (!block.value()) {
        log(LogLevel::verbose, Priority::info,
            "job " + job + ": import_env: no process of the user's has an environment to give");
        // The job's namespaces are joined by now: a helper would be what the job's mounts have in its place.
        if (adoption.namespaces == 0) view = controllers_view(deadline);
    }
    const Import found = choose_variables(block.value() ? std::string_view(block.value()->bytes) : view, options_.import_env);
    for (const Variable& variable : found.variables)
        if (!set(variable.name, variable.value)) return;
    if (found.unfit + found.too_many > 0)
        log(LogLevel::verbose, Priority::info,
            "job " + job + ": import_env: left out " + std::to_string(found.unfit) + " that are no plain text, " +
                std::to_string(found.too_many) + " that are too many");
}

std::string LoginPhase::controllers_view(Deadline deadline)
{
    const bool is_wanted = std::any_of(viewed.begin(), viewed.end(), [this](std::string_view name) {
        return is_importable(options_.import_env, name) && !host_.has_environment(std::string(name));
    });
    if (options_.controller == Controller::none || !record_.uid || !is_wanted || deadline.passed()) return {};
    const auto longest = std::min<std::chrono::milliseconds>(options_.controller_timeout, view_time);
    const auto details = node_.ask_job_details(helper_settings_of(options_), controller_question(options_, record_.uid),
                                               record_.job_id, deadline.share(2).sooner(Deadline::after(longest)));
    if (details) return block_of(details.value());
    log(LogLevel::verbose, Priority::info,
        "job " + std::to_string(record_.job_id) + ": import_env: controller: " + printable(details.error().context));
    return {};
}

void LoginPhase::forget_imported()
{
    // They are another job's by now. sshd may have brought them from the account phase's process, so that it is not known
    // any more who set them: of what other modules have set, this forgets what import_env= names too.
    for (const std::string& name : host_.environment_names())
        if (name != "SLURM_JOB_ID" && is_importable(options_.import_env, name)) host_.unset_environment(name);
}

}  // namespace slurm_adopt
