// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "slurm_adopt/file.h"
#include "slurm_adopt/hung.h"
#include "slurm_adopt/mount_table.h"
#include "slurm_adopt/probe.h"
#include "slurm_adopt/stepd_place.h"
#include "slurm_adopt/text.h"
#include "slurm_adopt/unix_stream.h"

namespace slurm_adopt::tool {
namespace {

// The slurmstepd behind a socket, without a word to it: a connection waits in its backlog.
Result<Peer> listener_of(const Candidate& candidate)
{
    auto socket = connect_unix(candidate.path());
    if (!socket) return std::move(socket).error();
    return peer_of(socket.value());
}

std::string trouble_of(const Error& error)
{
    if (error.errno_value == EAGAIN) return "its backlog is full: it does not accept connections";
    return error.context;
}

std::optional<std::int64_t> mtime_of(const std::string& mountinfo, const std::vector<CgroupEntry>& directories)
{
    for (const CgroupEntry& entry : directories) {
        const auto directory = cgroup_directory(mountinfo, entry);
        struct stat status {};
        if (directory && ::stat(directory->c_str(), &status) == 0)
            return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    }
    return std::nullopt;
}

struct Owner {
    std::optional<uid_t> uid;
    OwnerBy by = OwnerBy::nobody;
    std::string trouble;
};

Owner owner_of(const Roots& roots, const Candidate& candidate, pid_t stepd, const Result<std::vector<CgroupEntry>>& cgroups,
               Deadline deadline)
{
    const bool is_stopped = stepd > 0 && is_hung(roots, stepd);
    const std::string trouble = is_stopped ? "slurmstepd " + std::to_string(stepd) + " is stopped" : "";
    if (cgroups)
        if (const auto uid = owner_by_path(cgroups.value())) return {uid, OwnerBy::kernel, trouble};
    if (is_stopped) return {std::nullopt, OwnerBy::nobody, trouble};
    if (const auto uid = ask_owner(candidate, deadline.sooner(Deadline::after(probe_grace))))
        return {uid, OwnerBy::stepd, {}};
    return {std::nullopt, OwnerBy::nobody, "slurmstepd " + std::to_string(stepd) + " does not say whose it is"};
}

ExternStep look_at(const Roots& roots, const std::string& mountinfo, const Candidate& candidate, pid_t stepd,
                   Deadline deadline)
{
    ExternStep step;
    step.job_id = candidate.socket.job_id;
    step.node = candidate.socket.node;
    step.socket = candidate.path();
    step.socket_mtime_ns = candidate.socket_mtime_ns;
    step.stepd = stepd;
    const auto cgroups = cgroups_of(roots, stepd);
    Owner owner = owner_of(roots, candidate, stepd, cgroups, deadline);
    step.owner = owner.uid;
    step.owner_by = owner.by;
    step.trouble = std::move(owner.trouble);
    if (cgroups) step.directories = extern_step_directories(cgroups.value());
    const auto began = mtime_of(mountinfo, step.directories);
    step.began_by_cgroup = began.has_value();
    step.began_ns = began.value_or(candidate.socket_mtime_ns);
    return step;
}

std::string text_of(std::int64_t ns, bool utc)
{
    const std::time_t seconds = ns / 1'000'000'000;
    std::tm parts{};
    std::array<char, 32> text{};
    if ((utc ? ::gmtime_r(&seconds, &parts) : ::localtime_r(&seconds, &parts)) == nullptr) return "?";
    const std::size_t length =
        std::strftime(text.data(), text.size(), utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &parts);
    return {text.data(), length};
}

}  // namespace

Result<Survey> survey(const Roots& roots, const std::string& spool_dir, const std::string& nodename, Deadline deadline)
{
    auto found = discover(roots, spool_dir, nodename, deadline);
    if (!found) return std::move(found).error();
    const std::size_t listed = found.value().candidates.size() + found.value().planted.size();
    const Discovery seen = look_at_files(std::move(found).value());
    Survey result;
    for (const std::string& path : seen.planted)
        result.warnings.push_back("named like a slurmstepd's socket but not root's, ignored: " + printable(path));
    if (const std::size_t lost = listed - std::min(listed, seen.candidates.size() + seen.planted.size()); lost > 0)
        result.warnings.push_back(std::to_string(lost) +
                                  " socket(s) listed by the kernel cannot be seen from here (gone, or no permission)");

    const auto mountinfo = read_mountinfo(roots.proc);
    if (!mountinfo) result.warnings.push_back("where cgroups are mounted is not known: " + mountinfo.error().context);
    for (const Candidate& candidate : seen.candidates) {
        const auto peer = listener_of(candidate);
        if (!peer) {
            const int why = peer.error().errno_value;
            if (why == ECONNREFUSED || why == ENOENT) continue;  // ended
            ExternStep step = look_at(roots, mountinfo ? mountinfo.value() : "", candidate, 0,
                                      Deadline::after(std::chrono::milliseconds{0}));
            step.trouble = trouble_of(peer.error());
            result.steps.push_back(std::move(step));
        } else if (peer.value().uid != 0) {
            result.warnings.push_back("not served by root, ignored: " + printable(candidate.path()));
        } else {
            result.steps.push_back(
                look_at(roots, mountinfo ? mountinfo.value() : "", candidate, peer.value().pid, deadline));
        }
    }
    std::sort(result.steps.begin(), result.steps.end(),
              [](const ExternStep& a, const ExternStep& b) { return a.job_id < b.job_id; });
    return result;
}

std::string_view words_of(OwnerBy by)
{
    switch (by) {
    case OwnerBy::nobody: return "not known";
    case OwnerBy::kernel: return "by its cgroup";
    case OwnerBy::stepd: return "its slurmstepd says so";
    }
    return "not known";
}

std::string_view code_of(OwnerBy by)
{
    switch (by) {
    case OwnerBy::nobody: return "unknown";
    case OwnerBy::kernel: return "cgroup";
    case OwnerBy::stepd: return "slurmstepd";
    }
    return "unknown";
}

std::string local_time(std::int64_t ns)
{
    return text_of(ns, false);
}

std::string utc_time(std::int64_t ns)
{
    return text_of(ns, true);
}

}  // namespace slurm_adopt::tool
