// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <string>

#include "answer.h"
#include "log.h"
#include "munge.h"
#include "ready.h"
#include "slurm_adopt/text.h"
#include "slurm_api.h"
#include "slurm_jobs.h"
#include "slurm_output.h"

namespace slurm_adopt::helper {
namespace {

using namespace helper_wire;

JobsReply without_jobs(JobsStatus status)
{
    JobsReply reply;
    reply.status = static_cast<std::uint32_t>(status);
    return reply;
}

}  // namespace

JobsReply answer(const JobsRequest& request)
{
    if (request.controller != by_rpc) {
        log_error("slurmrestd is asked by slurm-adopt-rest");
        return without_jobs(JobsStatus::failed);
    }
    if (const auto readable = check_slurm_conf(); !readable) {
        log_error(readable.error().context);
        return without_jobs(JobsStatus::no_config);
    }
    load_slurm_conf();
    // Without munge libslurm tries for two seconds, and says nothing until then.
    if (const auto munge = check_munge(authentication()); !munge) {
        log_error(printable(munge.error().context));
        return without_jobs(JobsStatus::failed);
    }

    const std::string node = request.node.data();
    const bool is_everybody = request.uid == every_uid;
    const ControllerJobs found = jobs_on_nodes(is_everybody ? std::nullopt : std::optional<uid_t>(request.uid), node_names_of(node));
    log_slurm_output();
    const std::string question = "node=" + log_value(node) + " uid=" + (is_everybody ? "*" : std::to_string(request.uid));
    if (found.status != JobsStatus::answered) {
        log_info(question + " reason=no_answer: " + printable(found.error));
        return without_jobs(found.status);
    }
    log_info(question + " jobs=" + std::to_string(found.jobs.size()));
    JobsReply reply = without_jobs(JobsStatus::answered);
    reply.count = static_cast<std::uint32_t>(std::min(found.jobs.size(), most_jobs));
    std::copy_n(found.jobs.begin(), reply.count, reply.jobs.begin());
    return reply;
}

}  // namespace slurm_adopt::helper
