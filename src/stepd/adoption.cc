// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/adoption.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/environment_import.h"
#include "slurm_adopt/stepd_place.h"
#include "slurm_adopt/stepd_protocol.h"
#include "slurm_adopt/text.h"
#include "slurm_adopt/unix_stream.h"

namespace slurm_adopt {
namespace {

using stepd_protocol::Request;
using stepd_protocol::StepState;

struct Namespace {
    int type = 0;  // CLONE_NEW*, 0: whatever it is
    Fd fd;
};

class Conversation {
public:
    Conversation(const StepdSession& session, const AdoptionRequest& request, Deadline deadline)
        : session_(session), request_(request), deadline_(deadline)
    {
    }

    Result<Done> send_requests()
    {
        std::vector<std::int32_t> words = {static_cast<std::int32_t>(Request::add_extern_pid), request_.pid};
        if (request_.parent) words.insert(words.end(), {static_cast<std::int32_t>(Request::add_extern_pid), *request_.parent});
        words.push_back(static_cast<std::int32_t>(Request::step_state));  // after them: what it was when it had adopted
        if (request_.x11) words.push_back(static_cast<std::int32_t>(Request::x11_display));
        if (request_.join_namespaces)
            words.push_back(static_cast<std::int32_t>(many_namespaces() ? Request::get_ns_fds : Request::get_ns_fd));
        return send_all(session_.socket, std::as_bytes(std::span(words)), deadline_);
    }

    // What follows gets an equal part of what is left, as the next of `parts`.
    void go_on_with_share(std::size_t parts) { deadline_ = deadline_.share(parts); }

    // Whether it has adopted; the state of the step by then is in state().
    Result<Done> receive_adoption()
    {
        std::int32_t refusal = 0;
        for (int answers = request_.parent ? 2 : 1; answers > 0; --answers) {
            const auto result = receive_int(session_.socket, deadline_);
            if (!result) return result.error();
            if (result.value() != 0) refusal = result.value();
        }
        const auto state = receive_int(session_.socket, deadline_);
        if (state) state_ = StepState{state.value()};
        if (refusal != 0) return Error{ErrorCode::refused, 0, "slurmstepd answered " + std::to_string(refusal)};
        if (!state) return state.error();
        return Done{};
    }

    std::optional<StepState> state() const { return state_; }

    Result<X11Forwarding> receive_x11()
    {
        lost_ = true;  // until the whole reply has been read, what follows cannot be told apart from it
        auto display = receive_int(session_.socket, deadline_);
        if (!display) return std::move(display).error();
        auto length = receive_int(session_.socket, deadline_);
        if (!length) return std::move(length).error();
        if (length.value() < 0 || length.value() > stepd_protocol::longest_xauthority)
            return Error{ErrorCode::protocol, 0, "XAUTHORITY of " + std::to_string(length.value()) + " bytes"};
        std::string path(static_cast<std::size_t>(length.value()), '\0');
        auto received = receive_all(session_.socket, std::as_writable_bytes(std::span(path)), deadline_);
        if (!received) return std::move(received).error();
        lost_ = false;
        while (!path.empty() && path.back() == '\0') path.pop_back();
        // It becomes an environment variable: only a path that is one.
        if (!path.empty() && (path.front() != '/' || !is_printable(path)))
            return Error{ErrorCode::malformed, 0, "XAUTHORITY is no path: " + printable(path)};
        return X11Forwarding{display.value(), std::move(path)};
    }

    Result<std::vector<Namespace>> receive_namespaces()
    {
        if (lost_) return Error{ErrorCode::protocol, 0, "the conversation broke off before"};
        auto count = receive_int(session_.socket, deadline_);
        if (!count) return std::move(count).error();
        if (many_namespaces()) return receive_typed_namespaces(static_cast<std::uint32_t>(count.value()));
        std::vector<Namespace> namespaces;
        if (count.value() < 0) return Error{ErrorCode::refused, 0, "slurmstepd could not give the namespace"};
        if (count.value() == 0) return namespaces;
        auto fd = receive_descriptor(session_.socket, deadline_);
        if (!fd) return std::move(fd).error();
        namespaces.push_back({0, std::move(fd).value()});
        return namespaces;
    }

private:
    bool many_namespaces() const { return session_.protocol_version >= stepd_protocol::release_25_11; }

    Result<std::vector<Namespace>> receive_typed_namespaces(std::uint32_t count)
    {
        if (count > stepd_protocol::most_namespaces)
            return Error{ErrorCode::protocol, 0, std::to_string(count) + " namespaces"};
        std::vector<Namespace> namespaces;
        for (std::uint32_t i = 0; i < count; ++i) {
            auto type = receive_int(session_.socket, deadline_);
            if (!type) return std::move(type).error();
            auto fd = receive_descriptor(session_.socket, deadline_);
            if (!fd) return std::move(fd).error();
            namespaces.push_back({type.value(), std::move(fd).value()});
        }
        return namespaces;
    }

    const StepdSession& session_;
    const AdoptionRequest& request_;
    Deadline deadline_;
    std::optional<StepState> state_;
    bool lost_ = false;
};

// How many have been joined; fewer than given only with an error.
struct Joined {
    std::size_t count = 0;
    Result<Done> result = Done{};
};

Joined join(const std::vector<Namespace>& namespaces)
{
    Joined joined;
    for (const Namespace& space : namespaces) {
        if (::setns(space.fd.get(), space.type) != 0) {
            joined.result = system_error("setns");
            break;
        }
        ++joined.count;
    }
    return joined;
}

JobEnvironment environment_of(const Roots& roots, const StepdSession& session, const AdoptionRequest& request,
                              const std::vector<CgroupEntry>& step)
{
    return {roots, step, request.environment_of.value_or(0), session.job_id(), most_environ};
}

Adoption failed(Reason reason, std::string detail)
{
    Adoption adoption;
    adoption.failure = reason;
    adoption.detail = std::move(detail);
    return adoption;
}

}  // namespace

Reason adoption_failure(const Error& error)
{
    switch (error.code) {
    case ErrorCode::timed_out:
        return Reason::adopt_timeout;
    case ErrorCode::closed:
        return Reason::adopt_step_ended;
    case ErrorCode::refused:
        return Reason::adopt_refused;
    case ErrorCode::protocol:
    case ErrorCode::malformed:
    case ErrorCode::too_large:
        return Reason::adopt_protocol;
    case ErrorCode::system:
    case ErrorCode::untrusted:
        return Reason::adopt_failed;
    }
    return Reason::adopt_failed;
}

std::optional<Adoption> obstacle(const Roots& roots, const StepdSession& session, const StepdPlace& place)
{
    if (session.pid > 0 && !place.cgroups) {
        const int why = place.cgroups.error().errno_value;
        const bool gone = (why == ENOENT || why == ESRCH) && cgroups_of(roots, ::getpid());
        return failed(gone ? Reason::adopt_step_ended : Reason::proc_unreadable, place.cgroups.error().context);
    }
    if (!place.same_pid_namespace)
        return failed(Reason::adopt_foreign_pids, "slurmstepd lives in another pid namespace than this process");
    return std::nullopt;
}

Adoption unverifiable()
{
    return failed(Reason::adopt_unverifiable, "slurmstepd is in no step_extern cgroup (ProctrackType=proctrack/cgroup?)");
}

std::optional<Adoption> ending(StepState state)
{
    if (lives(state)) return std::nullopt;
    Adoption adoption = failed(Reason::adopt_step_ended, "the step is ending");
    adoption.is_ending = true;
    return adoption;
}

bool is_in_step(const Roots& roots, const AdoptionRequest& request, const std::vector<CgroupEntry>& step)
{
    const auto inside = [&](const Result<std::vector<CgroupEntry>>& process) { return process && is_inside(process.value(), step); };
    const bool child = inside(request.proc_cgroup != nullptr ? cgroups_of(*request.proc_cgroup) : cgroups_of(roots, request.pid));
    return child && (!request.parent || inside(cgroups_of(roots, *request.parent)));
}

Adoption adopt(const Roots& roots, const StepdSession& session, const AdoptionRequest& request, Deadline deadline,
               std::size_t candidates)
{
    const StepdPlace place = session.place ? *session.place : place_of(roots, session.pid);
    if (auto found = obstacle(roots, session, place)) return *std::move(found);
    auto step = extern_step_directories(place.cgroups.value());

    Conversation conversation(session, request, deadline);
    if (auto sent = conversation.send_requests(); !sent) return failed(adoption_failure(sent.error()), sent.error().context);
    std::optional<JobEnvironment> early;
    if (request.environment_of && request.read_ahead && !step.empty()) {
        early = environment_of(roots, session, request, step);
        early->begin(deadline);
    }
    const auto answer = conversation.receive_adoption();
    conversation.go_on_with_share(candidates);

    // An extern step that has just begun listens before it is in its cgroup; to adopt us it has to be there.
    if (step.empty())
        if (const auto now = cgroups_of(roots, session.pid)) step = extern_step_directories(now.value());
    const bool verifiable = !step.empty();

    Adoption adoption;
    adoption.verified = is_in_step(roots, request, step);
    adoption.step = std::move(step);
    // It was alive when it said whose it is. What a step adopts while it ends outlives the job, and keeps the step from its
    // end.
    if (conversation.state())
        if (auto found = ending(*conversation.state())) return *std::move(found);
    if (!answer) {
        // The request was on its way: without an answer only the kernel knows what became of it.
        adoption.failure = adoption_failure(answer.error());
        adoption.detail = answer.error().context;
        adoption.may_follow = adoption.failure == Reason::adopt_timeout;
        // One that hung up may be that of a step which is ending.
        if (!adoption.verified || !adoption.may_follow) return adoption;
        adoption.detail += "; adopted all the same, by the kernel's view";
        // What would have followed on this connection is lost with it, and a namespace must not be.
        adoption.adopted = !request.join_namespaces;
        return adoption;
    }
    if (!verifiable && request.must_be_verified) return unverifiable();
    if (verifiable && !adoption.verified) {
        adoption.failure = Reason::adopt_not_inside;
        adoption.detail = "slurmstepd said done, but /proc shows the process outside " + adoption.step.front().path;
        return adoption;
    }

    if (request.environment_of) adoption.environment = early ? *std::move(early) : environment_of(roots, session, request, adoption.step);
    if (request.x11) {
        auto x11 = conversation.receive_x11();
        if (x11) {
            if (x11.value().display > 0) adoption.x11 = std::move(x11).value();
        } else {
            adoption.detail = "X11: " + x11.error().context;
        }
    }
    if (request.join_namespaces) {
        const auto namespaces = conversation.receive_namespaces();
        // The job's own /proc, if it has one, shows nothing of a process that began outside.
        if (namespaces && !namespaces.value().empty())
            adoption.proc_cgroup = Fd(::open((roots.proc + "/self/cgroup").c_str(), O_RDONLY | O_CLOEXEC));
        const Joined joined = namespaces ? join(namespaces.value()) : Joined{0, namespaces.error()};
        adoption.namespaces = joined.count;
        if (!joined.result) {
            adoption.failure = Reason::namespace_join;
            adoption.detail = "namespaces: " + joined.result.error().context;
            adoption.half_joined = joined.count > 0;
            return adoption;
        }
    }
    adoption.adopted = true;
    return adoption;
}

}  // namespace slurm_adopt
