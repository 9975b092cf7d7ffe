// SPDX-License-Identifier: GPL-2.0-or-later
// The session phase: other modules (pam_systemd) move a session out of its job, and sshd's keyboard-interactive child
// leaves nothing but its environment behind. The session has to be in the user's job when it begins.
#include <unistd.h>

#include "login_phase.h"
#include "slurm_adopt/runtime_dir.h"
#include "slurm_adopt/session_registry.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr const char* runtime_dir_variable = "XDG_RUNTIME_DIR";

}  // namespace

std::optional<std::uint32_t> LoginPhase::job_of_account_phase() const
{
    if (phase_ != Phase::session) return std::nullopt;
    if (const TakenJob* taken = host_.kept(); taken != nullptr) return taken->job_id;
    // What came back from sshd's child. Whatever it says, only a job of the user's own counts (choose()).
    return parse_number<std::uint32_t>(host_.environment("SLURM_JOB_ID"));
}

const TakenJob* LoginPhase::taken_by_this_process() const
{
    if (phase_ != Phase::session) return nullptr;
    const TakenJob* taken = host_.kept();
    return taken != nullptr && taken->pid == ::getpid() ? taken : nullptr;
}

bool LoginPhase::is_in_namespaces() const
{
    const TakenJob* taken = taken_by_this_process();
    return taken != nullptr && taken->in_namespaces;
}

std::optional<Decision> LoginPhase::stays_where_it_is(const TakenJob& taken)
{
    // An application may change the user on the way (pam_set_item(3)).
    if (record_.uid != taken.uid) return std::nullopt;
    // Where slurmstepd tracks its steps without cgroups nothing can move a session out, and nothing can be seen.
    const bool verifiable = !taken.step.empty();
    const AdoptionRequest process{.pid = taken.pid, .proc_cgroup = taken.proc_cgroup ? &taken.proc_cgroup : nullptr};
    if (verifiable && !is_in_step(roots_, process, taken.step)) return std::nullopt;
    record_.jobs = taken.jobs;
    record_.job_id = taken.job_id;
    record_.verified = verifiable && taken.verified;
    return Decision{Verdict::adopt, Reason::account_job};
}

Decision LoginPhase::decide_session(uid_t uid)
{
    if (const TakenJob* taken = taken_by_this_process())
        if (const auto decision = stays_where_it_is(*taken)) return *decision;
    Decision decision = decide_by_jobs(uid);
    // Neither another job's session nor an unconfined one can begin in a job's namespaces, whatever the options say.
    if (decision.verdict != Verdict::adopt && is_in_namespaces()) decision.verdict = Verdict::deny;
    return decision;
}

void LoginPhase::give_runtime_dir(const User& user)
{
    // pam_systemd's is the better one: with a user's service manager behind it.
    if (!host_.environment(runtime_dir_variable).empty()) return;
    const auto key = session_key("/proc", "self");
    if (!key || !key.value()) return;
    const auto directory = open_runtime_dir({}, user.uid, user.gid, *key.value(), Deadline::after(options_.timeout));
    // The session is where it belongs; that programs find no place for their sockets is an inconvenience.
    if (!directory) {
        log(LogLevel::error, Priority::warning, "no XDG_RUNTIME_DIR: " + printable(directory.error().context));
        return;
    }
    if (const auto set = host_.set_environment(runtime_dir_variable, directory.value().path); !set)
        log(LogLevel::error, Priority::warning, set.error().context);
}

void LoginPhase::close(std::span<const std::string_view> arguments)
{
    const ParsedOptions parsed = parse_options(arguments);
    options_ = parsed.options;
    if (is_root_ || !parsed.errors.empty() || !options_.runtime_dir) return;
    const auto user = find_user(std::string(host_.user()));
    if (!user || !user.value()) return;
    // Also where none was made for this session: others may have been killed since.
    const auto key = session_key("/proc", "self");
    if (!key || !key.value()) return;
    const auto closed = close_runtime_dir({}, user.value()->uid, *key.value(), Deadline::after(options_.timeout));
    if (!closed) log(LogLevel::error, Priority::warning, "XDG_RUNTIME_DIR is left behind: " + printable(closed.error().context));
}

}  // namespace slurm_adopt
