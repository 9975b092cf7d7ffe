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
    // An application may change the user between the phases (pam_set_item(3)), as sudo does.
    if (const TakenJob* taken = host_.kept(); taken != nullptr)
        return record_.uid == taken->uid ? std::optional(taken->job_id) : std::nullopt;
    // What came back from sshd's child. Whatever it says, only a job of the user's own counts.
    const std::string text = host_.environment("SLURM_JOB_ID");
    return parse_number<std::uint32_t>(std::string_view(text));
}

const TakenJob* LoginPhase::taken_by_this_process() const
{
    const TakenJob* taken = host_.kept();
    return taken != nullptr && taken->pid == ::getpid() ? taken : nullptr;
}

bool LoginPhase::is_in_namespaces() const
{
    // Whoever has the note is the process that joined them, or was forked by it since.
    const TakenJob* taken = host_.kept();
    return taken != nullptr && taken->in_namespaces;
}

std::optional<Decision> LoginPhase::stays_where_it_is(const TakenJob& taken)
{
    if (record_.uid != taken.uid) return std::nullopt;
    // Where slurmstepd tracks its steps without cgroups nothing can move a session out. Nor can that be seen.
    const bool verifiable = !taken.step.empty();
    if (!verifiable && options_.strict) return std::nullopt;
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
    return decide_by_jobs(uid);
}

std::string LoginPhase::own_session_key() const
{
    if (is_in_namespaces()) return taken_by_this_process() != nullptr ? taken_by_this_process()->session_key : std::string();
    auto key = slurm_adopt::session_key(roots_.proc, "self");
    return key && key.value() ? *std::move(key).value() : std::string();
}

void LoginPhase::give_runtime_dir(const User& user)
{
    const RuntimeDirs dirs;
    // pam_systemd's is the better one: with a user's service manager behind it. One of ours is of an earlier session.
    const std::string given = host_.environment(runtime_dir_variable);
    if (!given.empty() && !given.starts_with(dirs.base + '/')) return;
    const auto directory = open_runtime_dir(dirs, user.uid, user.gid, session_key_, Deadline::after(options_.timeout));
    // The session is where it belongs; that programs find no place for their sockets is an inconvenience.
    if (!directory) {
        if (!given.empty()) host_.unset_environment(runtime_dir_variable);
        log(LogLevel::error, Priority::warning, "no XDG_RUNTIME_DIR: " + printable(directory.error().context));
        return;
    }
    if (!directory.value().limited)
        log(LogLevel::error, Priority::warning, "XDG_RUNTIME_DIR without limits: a tmpfs may not be mounted here");
    if (const auto set = host_.set_environment(runtime_dir_variable, directory.value().path); !set)
        log(LogLevel::error, Priority::warning, set.error().context);
}

void LoginPhase::close(std::span<const std::string_view> arguments)
{
    const ParsedOptions parsed = parse_options(arguments);
    options_ = parsed.options;
    if (!parsed.errors.empty() || !options_.runtime_dir) return;
    const auto user = find_user(std::string(host_.user()));
    if (!user || !user.value()) return;
    const std::string key = own_session_key();
    if (key.empty()) return;  // nothing was made for a process that /proc does not know
    const RuntimeDirs dirs;
    // Also where none was made for this session: others may have been killed since.
    const auto closed = close_runtime_dir(dirs, user.value()->uid, key, Deadline::after(options_.timeout));
    if (!closed) log(LogLevel::error, Priority::warning, "XDG_RUNTIME_DIR is left behind: " + printable(closed.error().context));
    if (host_.environment(runtime_dir_variable).starts_with(dirs.base + '/')) host_.unset_environment(runtime_dir_variable);
}

}  // namespace slurm_adopt
