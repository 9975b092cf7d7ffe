// SPDX-License-Identifier: GPL-2.0-or-later
// What a phase finds out and does on the node, as one interface: slurm-adopt explain runs the phases with one of its own,
// that notes what it sees and adopts nobody. The functions here are those of the core library.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/adoption.h"
#include "slurm_adopt/connection.h"
#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/own_steps.h"
#include "slurm_adopt/policy.h"
#include "slurm_adopt/step_watch.h"
#include "slurm_adopt/sticky.h"
#include "slurm_adopt/users.h"

namespace slurm_adopt {

class NodeAccess {
public:
    NodeAccess() = default;
    NodeAccess(const NodeAccess&) = delete;
    NodeAccess& operator=(const NodeAccess&) = delete;
    virtual ~NodeAccess() = default;

    [[nodiscard]] virtual Result<OwnSteps> find_own_steps(const Roots& roots, const Options& options, uid_t uid,
                                                          Deadline deadline);
    [[nodiscard]] virtual std::optional<Connection> client_connection(const Roots& roots, std::string_view remote_host);
    [[nodiscard]] virtual Result<SourceAnswer> ask_source_job(const HelperSettings& settings, const Connection& connection,
                                                              Deadline deadline);
    [[nodiscard]] virtual Result<std::vector<helper_wire::ControllerJob>> ask_controller(const HelperSettings& settings,
                                                                                         const ControllerQuestion& question,
                                                                                         Deadline deadline);
    [[nodiscard]] virtual Result<JobDetails> ask_job_details(const HelperSettings& settings, const ControllerQuestion& question,
                                                             std::uint32_t job_id, Deadline deadline);
    // By the client's connection of this process; none where it has none.
    [[nodiscard]] virtual Result<std::optional<std::uint32_t>> find_sticky_job(const Roots& roots,
                                                                               const std::vector<StepdSession>& sessions,
                                                                               std::string_view remote_host, Deadline deadline);
    // A list or a text of the site's (file.h).
    [[nodiscard]] virtual Result<std::string> read_site_file(const std::string& path, std::size_t most);
    // The job that the user names (job_file.h), read in a process of its own that is the user's; none: there is no file.
    [[nodiscard]] virtual Result<std::optional<std::uint32_t>> read_job_file(const User& user, Deadline deadline);
    // True: there is something new to look at. False: the time is over.
    [[nodiscard]] virtual bool wait_for_step(StepWatch& watch, Deadline until);
    // Where the process is that logs in.
    [[nodiscard]] virtual Result<std::vector<CgroupEntry>> cgroups_of_process(const Roots& roots);
    [[nodiscard]] virtual Choice choose(const Options& options, std::span<const OwnJob> jobs,
                                        const std::optional<KnownJob>& known);
    [[nodiscard]] virtual Adoption adopt(const Roots& roots, const StepdSession& session, const AdoptionRequest& request,
                                         Deadline deadline, std::size_t candidates);
};

}  // namespace slurm_adopt
