// SPDX-License-Identifier: GPL-2.0-or-later
#include "node_access.h"

#include <unistd.h>

#include "slurm_adopt/file.h"
#include "slurm_adopt/job_file.h"

namespace slurm_adopt {

Result<OwnSteps> NodeAccess::find_own_steps(const Roots& roots, const Options& options, uid_t uid, Deadline deadline)
{
    return slurm_adopt::find_own_steps(roots, options.spool_dir, options.nodename, uid, deadline);
}

std::optional<Connection> NodeAccess::client_connection(const Roots& roots, std::string_view remote_host)
{
    return slurm_adopt::client_connection(roots.proc, remote_host);
}

Result<SourceAnswer> NodeAccess::ask_source_job(const HelperSettings& settings, const Connection& connection,
                                                Deadline deadline)
{
    return slurm_adopt::ask_source_job(settings, connection, deadline);
}

Result<std::vector<helper_wire::ControllerJob>> NodeAccess::ask_controller(const HelperSettings& settings,
                                                                           const ControllerQuestion& question, Deadline deadline)
{
    return slurm_adopt::ask_controller(settings, question, deadline);
}

Result<JobDetails> NodeAccess::ask_job_details(const HelperSettings& settings, const ControllerQuestion& question,
                                               std::uint32_t job_id, Deadline deadline)
{
    return slurm_adopt::ask_job_details(settings, question, job_id, deadline);
}

Result<std::optional<std::uint32_t>> NodeAccess::find_sticky_job(const Roots& roots, const std::vector<StepdSession>& sessions,
                                                                 std::string_view remote_host, Deadline deadline)
{
    const auto own = slurm_adopt::client_connection(roots.proc, remote_host);
    if (!own) return std::optional<std::uint32_t>();
    const auto is_sshd = [&](const std::string& process) { return runs_same_program(roots.proc, process); };
    return slurm_adopt::find_sticky_job(roots, sessions, *own, is_sshd, deadline);
}

Result<std::string> NodeAccess::read_site_file(const std::string& path, std::size_t most)
{
    return slurm_adopt::read_site_file(path, most);
}

Result<std::optional<std::uint32_t>> NodeAccess::read_job_file(const User& user, Deadline deadline)
{
    const auto file = read_job_file_as(user, deadline);
    return file ? job_in(file.value()) : file.error();
}

bool NodeAccess::wait_for_step(StepWatch& watch, Deadline until)
{
    return watch.wait(until);
}

Result<std::vector<CgroupEntry>> NodeAccess::cgroups_of_process(const Roots& roots)
{
    return cgroups_of(roots, ::getpid());
}

Choice NodeAccess::choose(const Options& options, std::span<const OwnJob> jobs, const std::optional<KnownJob>& known)
{
    return slurm_adopt::choose(options, jobs, known);
}

Adoption NodeAccess::adopt(const Roots& roots, const StepdSession& session, const AdoptionRequest& request,
                           Deadline deadline, std::size_t candidates)
{
    return slurm_adopt::adopt(roots, session, request, deadline, candidates);
}

}  // namespace slurm_adopt
