// SPDX-License-Identifier: GPL-2.0-or-later
#include "login_phase.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "slurm_adopt/connection.h"
#include "slurm_adopt/host_name.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// How long a step that answers no is given to be gone, and how often it is looked for.
constexpr std::chrono::milliseconds ending_time{500};
constexpr int ending_pause_ms = 10;

// A step that is ending listens for some time yet and answers no. An ended job is no failure, to be let in or refused by:
// once the sockets are gone, the next look sees what is left.
void wait_until_gone(const std::vector<std::string>& sockets, Deadline deadline)
{
    struct stat status {};
    for (const std::string& socket : sockets)
        while (!deadline.passed() && ::lstat(socket.c_str(), &status) == 0) (void)::poll(nullptr, 0, ending_pause_ms);
}

}  // namespace

Decision LoginPhase::run(std::span<const std::string_view> arguments)
{
    const auto started = std::chrono::steady_clock::now();
    record_.user = host_.user();

    record_.decision = decide(arguments);
    // ignore_root=0 adopts root where it can; it is no reason to keep root out.
    if (is_root_ && record_.decision.verdict != Verdict::adopt) record_.decision = {Verdict::ignore, Reason::root};

    record_.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
    report();
    return record_.decision;
}

Decision LoginPhase::conclude(Reason reason) const noexcept
{
    if (is_root_) return {Verdict::ignore, Reason::root};
    // Before the options are known nothing may open the node; and no session begins in namespaces that nobody knows of.
    if (!options_valid_ || is_joining_ || is_in_namespaces()) return {Verdict::deny, reason};
    return exempt_ && may_begin_elsewhere() ? *exempt_ : conclude_failure(options_, reason);
}

Decision LoginPhase::decide(std::span<const std::string_view> arguments)
{
    ParsedOptions parsed = parse_options(arguments);
    options_ = std::move(parsed.options);
    options_valid_ = parsed.errors.empty();
    record_.phase = name();
    record_.service = host_.service();
    record_.rhost = host_.remote_host();
    record_.node = options_.nodename.empty() ? short_host_name() : options_.nodename;
    if (record_.node.empty()) record_.node = "this node";
    record_.fails_open = fails_open(options_);
    record_.may_name_job = options_.job_choice == JobChoice::file;

    // Whatever log_level says: an administrator who made a typo has to be told.
    for (const std::string& error : parsed.errors) host_.log(Priority::error, "PAM line: " + error);
    if (is_root_ && (options_.ignore_root || !options_valid_)) return {Verdict::ignore, Reason::root};

    const auto user = find_user(record_.user);
    const auto before_jobs = decide_before_jobs(user);
    if (before_jobs && failure_class(before_jobs->reason) == FailureClass::none) return *before_jobs;
    if (options_.job_choice == JobChoice::file && !before_jobs) user_ = *user.value();
    if (options_.runtime_dir && !before_jobs) session_key_ = own_session_key();
    Decision decision = before_jobs                ? *before_jobs
                        : phase_ == Phase::account ? decide_by_jobs(user.value()->uid)
                                                   : decide_session(user.value()->uid);
    if (decision.verdict != Verdict::adopt && !may_begin_elsewhere()) decision.verdict = Verdict::deny;
    else if (decision.verdict != Verdict::adopt && exempt_) return pass_exempt(decision.reason);
    if (decision.verdict == Verdict::adopt && phase_ == Phase::session && options_.runtime_dir) give_runtime_dir(*user.value());
    return decision;
}

Decision LoginPhase::pass_exempt(Reason why)
{
    // The pass itself is for nobody's log; that one who has a job here is outside it, is.
    const FailureClass kind = failure_class(why);
    if (kind != FailureClass::no_jobs) {
        const bool is_failure = kind != FailureClass::unknown_job;
        log(is_failure ? LogLevel::error : LogLevel::info, is_failure ? Priority::warning : Priority::info,
            printable(record_.user) + " is exempt, and passed without being adopted: " + std::string(reason_code(why)));
    }
    return *exempt_;
}

bool LoginPhase::may_begin_elsewhere() const noexcept
{
    // Neither another job's session nor an unconfined one can begin in a job's namespaces, whatever the options say.
    // Nor in a step that was ending when it adopted: it would not end.
    return !is_joining_ && !is_in_namespaces() && !is_in_ending_step_;
}

std::optional<Decision> LoginPhase::decide_before_jobs(const Result<std::optional<User>>& user)
{
    if (user.ok() && user.value()) {
        record_.uid = user.value()->uid;
        if (user.value()->uid == 0) is_root_ = true;  // root by another name
    }
    if (is_root_ && (options_.ignore_root || !options_valid_)) return Decision{Verdict::ignore, Reason::root};
    if (!options_valid_) return conclude_failure(options_, Reason::bad_option);

    if (const auto decision = find_exemption(user)) return decision;
    if (!user.ok()) {
        log(LogLevel::error, Priority::error, user.error().context);
        return conclude_failure(options_, Reason::user_lookup);
    }
    if (!user.value()) return conclude_failure(options_, Reason::unknown_user);
    return std::nullopt;
}

Decision LoginPhase::decide_by_jobs(uid_t uid)
{
    const Deadline deadline = Deadline::after(options_.timeout);
    const Decision decision = find_and_adopt(uid, deadline);
    // A session without a job is the account phase's business, and nothing keeps root or the exempt waiting.
    const bool may_be_early = decision.reason == Reason::no_jobs && phase_ == Phase::account && !is_root_ && !exempt_;
    return may_be_early ? decide_without_step(uid, deadline) : decision;
}

Decision LoginPhase::find_and_adopt(uid_t uid, Deadline deadline)
{
    Look look = look_and_adopt(uid, deadline);
    if (!look.ended_steps.empty() && look.decision.verdict != Verdict::adopt && !deadline.passed()) {
        log(LogLevel::verbose, Priority::info, "a job ended while the login was being adopted; looking once more");
        wait_until_gone(look.ended_steps, deadline.sooner(Deadline::after(ending_time)));
        if (!deadline.passed()) look = look_and_adopt(uid, deadline);
    }
    return look.decision;
}

LoginPhase::Look LoginPhase::look_and_adopt(uid_t uid, Deadline deadline)
{
    record_.jobs = 0;
    record_.job_id = 0;
    auto steps = node_.find_own_steps(roots_, options_, uid, deadline);
    if (!steps) {
        log(LogLevel::error, Priority::error, "cannot list the extern steps: " + steps.error().context);
        return {conclude_failure(options_, Reason::sockets_unreadable), {}};
    }
    for (const std::string& warning : steps.value().warnings) log_once(LogLevel::error, Priority::warning, warning);
    for (const std::uint32_t job_id : steps.value().ending)
        log_once(LogLevel::verbose, Priority::info, "job " + std::to_string(job_id) + " is ending: no job to log in to");

    auto& sessions = steps.value().sessions;
    record_.jobs = sessions.size();
    // There is a job of the user's, and nobody to adopt into it: that is no "no job".
    if (sessions.empty() && steps.value().silent > 0) {
        record_.jobs = steps.value().silent;
        return {conclude_failure(options_, Reason::adopt_timeout), {}};
    }
    if (sessions.empty()) return {conclude_without_jobs(), {}};
    const Choice choice = choose_among(sessions, deadline);
    if (choice.candidates.empty()) return {conclude_failure(options_, choice.otherwise), {}};
    return adopt_into_one_of(sessions, choice, deadline);
}

LoginPhase::Look LoginPhase::adopt_into_one_of(std::vector<StepdSession>& sessions, const Choice& choice,
                                                 Deadline deadline)
{
    Look look;
    std::size_t left = choice.candidates.size();
    for (const Candidacy& candidate : choice.candidates) {
        StepdSession& session = sessions[candidate.job];
        record_.job_id = session.job_id();
        if (is_in_namespaces()) {
            if (host_.kept()->job_id != record_.job_id) {
                look.decision = {Verdict::deny, Reason::adopt_step_ended};
                return look;
            }
            // The job's own /proc, if it has one, shows nothing of its slurmstepd.
            session.place = StepdPlace{true, host_.kept()->step};
        }
        is_joining_ = options_.join_container;
        Adoption adoption = node_.adopt(roots_, session, request_for(), deadline, left--);
        if (!adoption.detail.empty())
            log(LogLevel::error, Priority::warning, "job " + std::to_string(record_.job_id) + ": " + printable(adoption.detail));
        if (adoption.adopted) {
            record_.verified = adoption.verified;
            set_up_environment(adoption, session.candidate.socket.node, deadline);
            const bool remembered = remember(std::move(adoption));
            is_joining_ = !remembered;
            if (!remembered) look.ended_steps.clear();  // no other look
            look.decision = remembered ? Decision{Verdict::adopt, candidate.reason} : Decision{Verdict::deny, Reason::out_of_memory};
            return look;
        }
        is_joining_ = adoption.half_joined;
        is_in_ending_step_ = is_in_ending_step_ || adoption.is_ending;
        if (adoption.failure == Reason::adopt_step_ended || adoption.failure == Reason::adopt_refused)
            look.ended_steps.push_back(session.candidate.path());
        look.decision = conclude_failure(options_, choice.otherwise == Reason::adopt_failed ? adoption.failure : choice.otherwise);
        // Another job's session would be torn out of it when this slurmstepd wakes up.
        if (adoption.may_follow) {
            look.ended_steps.clear();
            return look;
        }
        if (adoption.half_joined) {
            // Neither another job's session nor an unconfined one can start from there, whatever the options say.
            look.decision = {Verdict::deny, adoption.failure};
            look.ended_steps.clear();
            return look;
        }
    }
    return look;
}

Decision LoginPhase::conclude_without_jobs()
{
    if (phase_ == Phase::account) return conclude_failure(options_, Reason::no_jobs);
    // Who had no job then was let in by the account phase, or past it. Who had one, and has none now, has lost it since.
    if (const auto job_id = job_of_account_phase()) {
        record_.job_id = *job_id;
        return conclude_failure(options_, Reason::adopt_step_ended);
    }
    return {Verdict::ignore, Reason::no_jobs};
}

AdoptionRequest LoginPhase::request_for() const
{
    AdoptionRequest request{.pid = ::getpid(),
                            .parent = std::nullopt,
                            .x11 = !options_.disable_x11,
                            .join_namespaces = options_.join_container,
                            .environment_of = options_.import_env.empty() ? std::nullopt : record_.uid,
                            // In the session phase it is wanted only if the job is another one.
                            .read_ahead = phase_ == Phase::account,
                            .must_be_verified = options_.strict};
    if (phase_ == Phase::account) request.parent = parent_with_connection(roots_.proc, record_.rhost);
    if (is_in_namespaces()) {
        request.join_namespaces = false;
        if (const TakenJob* taken = taken_by_this_process()) request.proc_cgroup = &taken->proc_cgroup;
    }
    return request;
}

bool LoginPhase::remember(Adoption adoption)
{
    if (is_in_namespaces()) return true;  // which ones, and what was before, is kept already
    const bool in_namespaces = adoption.namespaces > 0;
    const bool kept = host_.keep({.job_id = record_.job_id,
                                  .uid = record_.uid.value_or(0),
                                  .jobs = record_.jobs,
                                  .pid = ::getpid(),
                                  .step = std::move(adoption.step),
                                  .verified = adoption.verified,
                                  .in_namespaces = in_namespaces,
                                  .session_key = session_key_,
                                  .proc_cgroup = std::move(adoption.proc_cgroup)});
    // Without it the session phase looks for the job again.
    return kept || !in_namespaces;
}

void LoginPhase::set_up_environment(Adoption& adoption, const std::string& node, Deadline deadline)
{
    const auto set = [this](const std::string& name, const std::string& value) {
        // The session is where it belongs; a missing variable is an inconvenience.
        if (const auto done = host_.set_environment(name, value); !done)
            log(LogLevel::error, Priority::warning, done.error().context);
    };
    const bool importing = !options_.import_env.empty();
    const std::string job_before = importing ? host_.environment("SLURM_JOB_ID") : std::string();
    set("SLURM_JOB_ID", std::to_string(record_.job_id));
    if (importing) import_environment(adoption, node, job_before, deadline);
    if (!adoption.x11) return;
    set("DISPLAY", "localhost:" + std::to_string(adoption.x11->display) + ".0");
    if (!adoption.x11->xauthority.empty()) set("XAUTHORITY", adoption.x11->xauthority);
}

void LoginPhase::report()
{
    const std::string line = decision_line(record_);
    switch (record_.decision.verdict) {
    case Verdict::deny:
        log(LogLevel::info, Priority::notice, line);
        break;
    case Verdict::adopt:
        log(LogLevel::info, Priority::info, line);
        break;
    case Verdict::allow:
        // Somebody is in and unconfined: worth a warning even where decisions are not logged.
        log(LogLevel::error, Priority::warning, line);
        break;
    case Verdict::ignore: {
        const FailureClass why = failure_class(record_.decision.reason);
        const bool failed_open = why == FailureClass::generic_failure;
        const bool passed_over = why == FailureClass::none && record_.decision.reason != Reason::root;
        log(failed_open ? LogLevel::error : passed_over ? LogLevel::debug : LogLevel::info,
            failed_open ? Priority::warning : passed_over ? Priority::debug : Priority::info, line);
        break;
    }
    }
    if (!options_.quiet) tell();
}

void LoginPhase::log_once(LogLevel level, Priority priority, const std::string& line)
{
    if (std::find(logged_once_.begin(), logged_once_.end(), line) != logged_once_.end()) return;
    logged_once_.push_back(line);
    log(level, priority, line);
}

void LoginPhase::log(LogLevel level, Priority priority, const std::string& line)
{
    if (level <= options_.log_level) host_.log(priority, line);
}

}  // namespace slurm_adopt
