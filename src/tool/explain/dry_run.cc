// SPDX-License-Identifier: GPL-2.0-or-later
#include "dry_run.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "login_phase.h"
#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/environment_import.h"
#include "slurm_adopt/job_file.h"
#include "slurm_adopt/job_process.h"
#include "slurm_adopt/stepd_place.h"
#include "slurm_adopt/stepd_protocol.h"
#include "slurm_adopt/unix_stream.h"

namespace slurm_adopt::tool {
namespace {

// PAM as the phase sees it: items that are given, and nothing that leads anywhere.
class ListeningHost final : public Host {
public:
    ListeningHost(const DryRunRequest& request, DryRun& run) : request_(request), run_(run) {}

    [[nodiscard]] std::string_view user() const override { return request_.user; }
    [[nodiscard]] std::string_view service() const override { return request_.service; }
    [[nodiscard]] std::string_view remote_host() const override { return request_.remote_host; }
    void log(Priority, const std::string& line) override { run_.log.push_back(line); }
    void tell_refusal(const std::string& message) override { run_.told.push_back(message); }
    void tell(const std::string& message) override { run_.told.push_back(message); }
    [[nodiscard]] Result<Done> set_environment(const std::string&, const std::string&) override { return Done{}; }
    void unset_environment(const std::string&) override {}
    [[nodiscard]] std::string environment(const std::string&) const override { return {}; }
    [[nodiscard]] bool has_environment(const std::string&) const override { return false; }
    [[nodiscard]] std::vector<std::string> environment_names() const override { return {}; }
    [[nodiscard]] bool keep(TakenJob) override { return true; }
    [[nodiscard]] const TakenJob* kept() const override { return nullptr; }

private:
    const DryRunRequest& request_;
    DryRun& run_;
};

// The module compares with the program that it runs in; this is another one.
bool is_named_sshd(const std::string& process)
{
    char name[4096];
    const ssize_t length = ::readlink((process + "/exe").c_str(), name, sizeof name);
    const std::string_view program(name, length > 0 ? static_cast<std::size_t>(length) : 0);
    return program.ends_with("/sshd") || program.ends_with("/sshd-session");
}

class NotingAccess final : public NodeAccess {
public:
    NotingAccess(const DryRunRequest& request, DryRun& run) : request_(request), run_(run) {}

    Result<OwnSteps> find_own_steps(const Roots& roots, const Options& options, uid_t uid, Deadline deadline) override
    {
        if (run_.steps.empty()) note({.kind = StepKind::before_jobs});
        auto found = NodeAccess::find_own_steps(roots, options, uid, deadline);
        SeenSteps seen;
        if (found) {
            for (const StepdSession& session : found.value().sessions) {
                seen.jobs.push_back(seen_job(roots, session));
            }
            seen.ending = found.value().ending;
            seen.silent = found.value().silent;
            seen.warnings = found.value().warnings;
        } else {
            seen.error = found.error().context;
            if (found.error().errno_value == EACCES) missed("the list of extern steps: " + seen.error);
        }
        note({.kind = StepKind::jobs, .jobs = std::move(seen)});
        return found;
    }

    std::optional<Connection> client_connection(const Roots&, std::string_view) override { return request_.connection; }

    Result<SourceAnswer> ask_source_job(const HelperSettings& settings, const Connection& connection,
                                        Deadline deadline) override
    {
        auto answer = NodeAccess::ask_source_job(settings, connection, deadline);
        SeenSource seen{.answer = std::nullopt, .error = {}, .program = settings.program};
        if (answer) {
            seen.answer = answer.value();
        } else {
            seen.error = answer.error().context;
            missed("the source node's answer: the helper works for root only");
        }
        note({.kind = StepKind::source, .source = std::move(seen)});
        return answer;
    }

    Result<std::optional<std::uint32_t>> find_sticky_job(const Roots& roots, const std::vector<StepdSession>& sessions,
                                                         std::string_view, Deadline deadline) override
    {
        if (!request_.client) return std::optional<std::uint32_t>();
        if (!request_.is_root) {
            missed("where the user's other logins come from");
            run_.is_uncertain = true;
            return std::optional<std::uint32_t>();
        }
        // The login comes by a connection that is not there yet.
        Connection own = *request_.client;
        own.peer.port = 0;
        return slurm_adopt::find_sticky_job(roots, sessions, own, is_named_sshd, deadline);
    }

    Result<std::vector<helper_wire::ControllerJob>> ask_controller(const HelperSettings& settings, const ControllerQuestion& question,
                                                                   Deadline deadline) override
    {
        auto jobs = NodeAccess::ask_controller(settings, question, deadline);
        SeenController seen{.jobs = std::nullopt, .error = {}, .by_rest = question.rest.has_value()};
        if (jobs) {
            seen.jobs = jobs.value();
        } else {
            seen.error = jobs.error().context;
            missed("the controller's answer: the helper works for root only");
        }
        note({.kind = StepKind::controller, .controller = std::move(seen)});
        return jobs;
    }

    Result<std::string> read_site_file(const std::string& path, std::size_t most) override
    {
        auto text = NodeAccess::read_site_file(path, most);
        if (!text && text.error().errno_value == EACCES && !request_.is_root) {
            missed(path);
            run_.is_uncertain = true;
        }
        return text;
    }

    Result<std::optional<std::uint32_t>> read_job_file(const User& user, Deadline deadline) override
    {
        // Who is not root explains the own login, and reads the own file.
        auto job = request_.is_root ? NodeAccess::read_job_file(user, deadline)
                                    : job_in(slurm_adopt::read_job_file((user.home + std::string(job_file_config)).c_str(), user.uid));
        note({.kind = StepKind::file,
              .file = SeenFile{job ? job.value() : std::nullopt, job ? std::string() : job.error().context}});
        return job;
    }

    bool wait_for_step(StepWatch&, Deadline until) override
    {
        constexpr int second = 1000;
        note({.kind = StepKind::wait, .wait = SeenWait{std::chrono::seconds{(until.poll_timeout() + second - 1) / second}}});
        return false;
    }

    // A login comes from sshd, which is in no job; su and its like come from where the tool is called.
    Result<std::vector<CgroupEntry>> cgroups_of_process(const Roots& roots) override
    {
        constexpr std::string_view daemon = "sshd";
        if (request_.connection || request_.service == daemon) return std::vector<CgroupEntry>{};
        return NodeAccess::cgroups_of_process(roots);
    }

    Choice choose(const Options& options, std::span<const OwnJob> jobs, const std::optional<KnownJob>& known) override
    {
        Choice choice = NodeAccess::choose(options, jobs, known);
        SeenChoice seen{.jobs = {jobs.begin(), jobs.end()}, .known = known, .candidates = {}, .otherwise = choice.otherwise};
        for (const Candidacy& candidate : choice.candidates)
            seen.candidates.push_back({jobs[candidate.job].job_id, candidate.reason});
        note({.kind = StepKind::choice, .choice = std::move(seen)});
        return choice;
    }

    // All that adopt() finds without asking for the adoption; and the state of the step, which may be asked by itself.
    Adoption adopt(const Roots& roots, const StepdSession& session, const AdoptionRequest& request, Deadline deadline,
                   std::size_t) override
    {
        Adoption adoption = foresee(roots, session, request, deadline);
        note({.kind = StepKind::adoption,
              .adoption =
                  SeenAdoption{session.job_id(), adoption.adopted, adoption.failure, adoption.detail, adoption.verified}});
        return adoption;
    }

private:
    void note(Step step)
    {
        const auto now = std::chrono::steady_clock::now();
        step.took = std::chrono::duration_cast<Microseconds>(now - last_);
        last_ = now;
        run_.steps.push_back(std::move(step));
    }

    void missed(const std::string& what)
    {
        if (!request_.is_root && std::find(run_.unseen.begin(), run_.unseen.end(), what) == run_.unseen.end())
            run_.unseen.push_back(what);
    }

    SeenJob seen_job(const Roots& roots, const StepdSession& session)
    {
        SeenJob job{.job_id = session.job_id(),
                    .node = session.candidate.socket.node,
                    .socket = session.candidate.path(),
                    .stepd = session.pid,
                    .protocol = session.protocol_version,
                    .owner_by_kernel = std::nullopt,
                    .step = {}};
        const auto cgroups = cgroups_of(roots, session.pid);
        if (!cgroups) {
            missed("where slurmstepd " + std::to_string(session.pid) + " runs: " + cgroups.error().context);
            return job;
        }
        job.owner_by_kernel = owner_by_path(cgroups.value());
        for (const CgroupEntry& entry : extern_step_directories(cgroups.value()))
            job.step.push_back(entry.controllers + ':' + entry.path);
        return job;
    }

    StepdPlace place_for(const Roots& roots, const StepdSession& session)
    {
        StepdPlace place = session.place ? *session.place : place_of(roots, session.pid);
        if (place.same_pid_namespace || request_.is_root) return place;
        const std::string link = roots.proc + '/' + std::to_string(session.pid) + "/ns/pid";
        char name[64];
        if (::readlink(link.c_str(), name, sizeof name) < 0 && errno == EACCES) {
            missed("whether slurmstepd " + std::to_string(session.pid) + " sees the same processes: " + link);
            place.same_pid_namespace = true;
        }
        return place;
    }

    // An extern step that has just begun listens before it is in its cgroup. It adopts only then, so a login waits for that.
    static std::vector<CgroupEntry> wait_for_cgroup(const Roots& roots, const StepdSession& session, Deadline deadline)
    {
        constexpr std::chrono::milliseconds time_to_begin{2000};
        constexpr int pause_ms = 10;
        const auto since = std::chrono::system_clock::now().time_since_epoch() -
                           std::chrono::nanoseconds{session.candidate.socket_mtime_ns};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(time_to_begin - since);
        const Deadline until = deadline.sooner(Deadline::after(std::min(left, time_to_begin)));
        for (;;) {
            const auto cgroups = cgroups_of(roots, session.pid);
            auto step = cgroups ? extern_step_directories(cgroups.value()) : std::vector<CgroupEntry>{};
            if (!step.empty() || until.passed()) return step;
            (void)::poll(nullptr, 0, pause_ms);
        }
    }

    Adoption foresee(const Roots& roots, const StepdSession& session, const AdoptionRequest& request, Deadline deadline)
    {
        using namespace stepd_protocol;
        const StepdPlace place = place_for(roots, session);
        if (auto found = obstacle(roots, session, place)) return *std::move(found);
        const std::array question = {static_cast<std::int32_t>(Request::step_state)};
        const auto sent = send_all(session.socket, std::as_bytes(std::span(question)), deadline);
        const auto state = sent ? receive_int(session.socket, deadline) : Result<std::int32_t>(sent.error());
        Adoption adoption;
        if (!state) {
            adoption.failure = adoption_failure(state.error());
            adoption.detail = state.error().context;
            adoption.may_follow = adoption.failure == Reason::adopt_timeout;  // as of the request that adopts
            return adoption;
        }
        adoption.step = extern_step_directories(place.cgroups.value());
        if (adoption.step.empty()) adoption.step = wait_for_cgroup(roots, session, deadline);
        adoption.verified = !adoption.step.empty();
        if (!adoption.verified && request.must_be_verified) return unverifiable();
        if (auto found = ending(StepState{state.value()})) return *std::move(found);
        adoption.adopted = true;
        if (request.environment_of)
            adoption.environment = JobEnvironment(roots, adoption.step, *request.environment_of, session.job_id(), most_environ);
        return adoption;
    }

    const DryRunRequest& request_;
    DryRun& run_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

DryRun dry_run(const DryRunRequest& request)
{
    DryRun run;
    const auto started = std::chrono::steady_clock::now();
    ListeningHost host(request, run);
    NotingAccess node(request, run);
    const std::vector<std::string_view> arguments(request.arguments.begin(), request.arguments.end());
    run.decision = LoginPhase(host, node, request.roots, Phase::account).run(arguments);
    run.took = std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - started);
    return run;
}

}  // namespace slurm_adopt::tool
