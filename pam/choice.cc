// SPDX-License-Identifier: GPL-2.0-or-later
// Which of several jobs a login belongs to; for both phases.
#include <algorithm>

#include "asking.h"
#include "login_phase.h"
#include "slurm_adopt/connection.h"
#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/job_file.h"
#include "slurm_adopt/step_start.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// A home directory that answers does so in far less; more is not worth a login's time.
constexpr std::chrono::seconds longest_job_file_time{1};

bool is_one_of(const std::vector<StepdSession>& sessions, std::uint32_t job_id)
{
    return std::any_of(sessions.begin(), sessions.end(), [&](const StepdSession& session) { return session.job_id() == job_id; });
}

}  // namespace

Choice LoginPhase::choose_among(const std::vector<StepdSession>& sessions, Deadline deadline)
{
    // One limit for all that the helper is asked: a login is never longer than callerid_timeout because of it.
    const Deadline limit = deadline.sooner(Deadline::after(options_.callerid_timeout));
    const auto known = known_job(sessions, deadline, limit);

    std::vector<OwnJob> jobs;
    jobs.reserve(sessions.size());
    for (const StepdSession& session : sessions) jobs.push_back({session.job_id(), 0});
    // Where the job is known the others are only a reserve, and their order is worth no further question.
    if (jobs.size() > 1 && !known && !is_in_namespaces() && takes_newest(options_)) {
        const auto starts = find_starts(sessions, limit);
        for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].began_ns = starts[i];
    }
    return node_.choose(options_, jobs, known);
}

std::optional<KnownJob> LoginPhase::known_job(const std::vector<StepdSession>& sessions, Deadline deadline, Deadline limit)
{
    if (const auto taken = job_of_account_phase(); taken && is_one_of(sessions, *taken)) return KnownJob{*taken, Reason::account_job};
    // No other job can follow, and no helper is run by what the job's mounts have in its place.
    if (is_in_namespaces() || !source_matters(options_, sessions.size())) return std::nullopt;
    for (const Evidence evidence : evidence_order(options_)) {
        switch (evidence) {
        case Evidence::source:
            if (const auto source = find_source_job(sessions, deadline, limit)) return KnownJob{*source, Reason::source_job};
            break;
        case Evidence::process:
            if (const auto current = job_of_process(sessions)) return KnownJob{*current, Reason::current_job};
            break;
        case Evidence::file:
            if (sessions.size() < 2) break;  // there is nothing to choose
            if (const auto named = find_named_job(sessions, deadline)) return KnownJob{*named, Reason::file_job};
            break;
        case Evidence::sticky:
            if (sessions.size() < 2) break;
            if (const auto sticky = sticky_job(sessions, deadline)) return KnownJob{*sticky, Reason::sticky};
            break;
        }
    }
    return std::nullopt;
}

std::optional<std::uint32_t> LoginPhase::find_named_job(const std::vector<StepdSession>& sessions, Deadline deadline)
{
    choice_note_.clear();
    // Never all that is left: the adoption comes after it.
    const auto named = node_.read_job_file(user_, deadline.share(2).sooner(Deadline::after(longest_job_file_time)));
    if (named && !named.value()) return std::nullopt;
    if (named && is_one_of(sessions, *named.value())) return named.value();
    const std::string why = std::string(job_file_shown) + " is not followed: " +
                            (named ? "job " + std::to_string(*named.value()) + " does not run on " + printable(record_.node)
                                   : printable(named.error().context));
    // That a job has ended since is nobody's fault.
    log_once(LogLevel::info, named ? Priority::info : Priority::warning, "~" + log_value(record_.user) + '/' + why);
    choice_note_ = "~/" + why + ". For another job: slurm-adopt use <JOBID>; for none: slurm-adopt use --clear";
    return std::nullopt;
}

std::optional<std::uint32_t> LoginPhase::job_of_process(const std::vector<StepdSession>& sessions) const
{
    const auto process = node_.cgroups_of_process(roots_);
    if (!process) return std::nullopt;
    for (const StepdSession& session : sessions) {
        const StepdPlace place = session.place ? *session.place : place_of(roots_, session.pid);
        // Any step of it: su is as well run by srun and in a batch script.
        if (place.cgroups && is_inside(process.value(), job_directories(extern_step_directories(place.cgroups.value()))))
            return session.job_id();
    }
    return std::nullopt;
}

std::optional<std::uint32_t> LoginPhase::find_source_job(const std::vector<StepdSession>& sessions, Deadline deadline,
                                                           Deadline limit)
{
    const auto connection = node_.client_connection(roots_, record_.rhost);
    if (!connection) {
        log(LogLevel::verbose, Priority::info, "source unknown: the login came by no TCP connection of this process");
        return std::nullopt;
    }
    const auto answer = node_.ask_source_job(helper_settings_of(options_), *connection, limit);
    if (!answer) {
        log(LogLevel::info, Priority::warning, "source unknown: " + answer.error().context);
        return std::nullopt;
    }
    const std::string source = to_text(connection->peer.address);
    switch (answer.value().kind) {
    case SourceAnswer::Kind::not_a_node:
        log(LogLevel::verbose, Priority::info, "source unknown: " + source + " is no node of slurm.conf");
        return std::nullopt;
    case SourceAnswer::Kind::no_job:
        // Nobody's fault: somebody came from a node, but not out of a job.
        log(LogLevel::verbose, Priority::info, "source unknown: the slurmd of " + source + " names no job for this connection");
        return std::nullopt;
    case SourceAnswer::Kind::job:
        break;
    }
    const std::uint32_t job_id = answer.value().job_id;
    if (is_one_of(sessions, job_id)) return job_id;
    warn_of_foreign_source(job_id, deadline);
    return std::nullopt;
}

void LoginPhase::warn_of_foreign_source(std::uint32_t job_id, Deadline deadline)
{
    const auto owner = owner_of_job(roots_, options_.spool_dir, options_.nodename, job_id, deadline);
    log(LogLevel::error, Priority::warning,
        "the source node names job " + std::to_string(job_id) + (owner ? " of user " + log_value(user_name(*owner)) : " of nobody known here") +
            " for a login of user " + log_value(record_.user) + ": refused as source");
}

std::vector<std::int64_t> LoginPhase::find_starts(const std::vector<StepdSession>& sessions, Deadline limit)
{
    // Read here where the mount table tells, in a twentieth of a millisecond; a helper takes some whole ones.
    if (auto starts = step_starts(roots_, sessions)) return std::move(*starts);
    std::vector<pid_t> pids;
    pids.reserve(sessions.size());
    for (const StepdSession& session : sessions) pids.push_back(session.pid);
    auto starts = ask_step_starts(helper_settings_of(options_), pids, limit);
    if (starts) return std::move(starts).value();
    log(LogLevel::verbose, Priority::info, "start of the steps: " + starts.error().context + "; going by their sockets");
    return socket_starts(sessions);
}

}  // namespace slurm_adopt
