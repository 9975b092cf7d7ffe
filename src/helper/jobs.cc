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

template <class Reply>
Reply reply_with(JobsStatus status)
{
    Reply reply;
    reply.status = static_cast<std::uint32_t>(status);
    return reply;
}

// All that asking slurmctld needs; what is wrong is in the log.
JobsStatus prepare(const JobsRequest& request)
{
    if (request.controller != by_rpc) {
        log_error("slurmrestd is asked by slurm-adopt-rest");
        return JobsStatus::failed;
    }
    if (const auto readable = check_slurm_conf(); !readable) {
        log_error(readable.error().context);
        return JobsStatus::no_config;
    }
    load_slurm_conf();
    // Without munge libslurm tries for two seconds, and says nothing until then.
    if (const auto munge = check_munge(authentication()); !munge) {
        log_error(printable(munge.error().context));
        return JobsStatus::failed;
    }
    return JobsStatus::answered;
}

}  // namespace

JobsReply answer(const JobsRequest& request)
{
    if (const JobsStatus ready = prepare(request); ready != JobsStatus::answered) return reply_with<JobsReply>(ready);
    const std::string node = request.node.data();
    const bool is_everybody = request.uid == every_uid;
    const ControllerJobs found = jobs_on_nodes(is_everybody ? std::nullopt : std::optional<uid_t>(request.uid), node_names_of(node));
    log_slurm_output();
    const std::string question = "node=" + log_value(node) + " uid=" + (is_everybody ? "*" : std::to_string(request.uid));
    if (found.status != JobsStatus::answered) {
        log_info(question + " reason=no_answer: " + printable(found.error));
        return reply_with<JobsReply>(found.status);
    }
    log_info(question + " jobs=" + std::to_string(found.jobs.size()));
    auto reply = reply_with<JobsReply>(JobsStatus::answered);
    reply.count = static_cast<std::uint32_t>(std::min(found.jobs.size(), most_jobs));
    std::copy_n(found.jobs.begin(), reply.count, reply.jobs.begin());
    return reply;
}

JobReply answer(const JobRequest& request)
{
    if (const JobsStatus ready = prepare(request.about); ready != JobsStatus::answered) return reply_with<JobReply>(ready);
    const ControllerJobDetails found = job_of_user(request.job_id, request.about.uid);
    log_slurm_output();
    const std::string question = "job=" + std::to_string(request.job_id) + " uid=" + std::to_string(request.about.uid);
    if (found.reply.status != static_cast<std::uint32_t>(JobsStatus::answered))
        log_info(question + " reason=no_answer: " + printable(found.error));
    else
        log_info(question + (found.reply.job_id == 0 ? " unknown" : " known"));
    return found.reply;
}

}  // namespace slurm_adopt::helper
