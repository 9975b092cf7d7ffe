// SPDX-License-Identifier: GPL-2.0-or-later
#include "node_access.h"

#include <unistd.h>

#include "slurm_adopt/file.h"

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

Result<std::string> NodeAccess::read_site_file(const std::string& path, std::size_t most)
{
    return slurm_adopt::read_site_file(path, most);
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
