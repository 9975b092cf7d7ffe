// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_jobs.h"

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <span>
#include <string_view>

namespace slurm_adopt::helper {
namespace {

using helper_wire::ControllerJob;
using helper_wire::JobsStatus;
using helper_wire::JobState;

std::uint32_t id_of(const slurm_job_info_t& job)
{
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
    return job.step_id.job_id;
#else
    return job.job_id;
#endif
}

bool is_on(const slurm_job_info_t& job, const std::vector<std::string>& nodes)
{
    if (job.nodes == nullptr) return false;
    const auto allocated = slurm_hostlist_create(job.nodes);
    if (allocated == nullptr) return false;
    const bool found = std::any_of(nodes.begin(), nodes.end(), [&](const std::string& node) {
        return slurm_hostlist_find(allocated, node.c_str()) >= 0;
    });
    slurm_hostlist_destroy(allocated);
    return found;
}

// None for a job that has ended, or has not begun.
std::optional<JobState> state_of(const slurm_job_info_t& job)
{
    if ((job.job_state & JOB_COMPLETING) != 0) return JobState::ending;
    const std::uint32_t base = job.job_state & JOB_STATE_BASE;
    if (base != JOB_RUNNING && base != JOB_SUSPENDED) return std::nullopt;
    // Its nodes boot, or the prolog has not ended on all of them.
    const bool is_starting = (job.job_state & (JOB_CONFIGURING | JOB_POWER_UP_NODE)) != 0 || job.state_reason == WAIT_PROLOG;
    return is_starting ? JobState::starting : JobState::running;
}

JobsStatus status_of(int error)
{
    switch (error) {
    case SLURM_PROTOCOL_AUTHENTICATION_ERROR:
    case ESLURM_AUTH_CRED_INVALID:
    case ESLURM_AUTH_UNPACK:
    case ESLURM_ACCESS_DENIED:
        return JobsStatus::refused;
    case SLURM_COMMUNICATIONS_CONNECTION_ERROR:
    case SLURM_COMMUNICATIONS_SEND_ERROR:
    case SLURM_COMMUNICATIONS_RECEIVE_ERROR:
    case SLURM_COMMUNICATIONS_SHUTDOWN_ERROR:
    case SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR:
    case SLURMCTLD_COMMUNICATIONS_SEND_ERROR:
    case SLURMCTLD_COMMUNICATIONS_RECEIVE_ERROR:
    case SLURMCTLD_COMMUNICATIONS_SHUTDOWN_ERROR:
    case SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT:
    case ESLURM_IN_STANDBY_MODE:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
        return JobsStatus::unreachable;
    default:
        return JobsStatus::malformed;
    }
}

int load_job(job_info_msg_t** message, std::uint32_t job_id, std::uint16_t what)
{
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
    slurm_step_id_t id{};
    id.job_id = job_id;
    id.step_id = NO_VAL;
    id.step_het_comp = NO_VAL;
    // The function: its name is a macro too, in C only.
    return (slurm_load_job)(message, id, what);
#else
    return slurm_load_job(message, job_id, what);
#endif
}

// Half of a text would be a wrong one: it is left out.
void put(std::span<char> field, const char* text)
{
    if (text != nullptr) (void)helper_wire::put_whole(field, text);
}

}  // namespace

ControllerJobs jobs_on_nodes(std::optional<uid_t> uid, const std::vector<std::string>& nodes)
{
    // Those in hidden partitions too; of this cluster, not of a federation's others.
    constexpr std::uint16_t what = SHOW_ALL | SHOW_LOCAL;
    job_info_msg_t* message = nullptr;
    errno = 0;
    const int outcome = uid ? slurm_load_job_user(&message, *uid, what) : slurm_load_jobs(std::time_t{0}, &message, what);
    if (outcome != SLURM_SUCCESS || message == nullptr) {
        const int error = errno;
        return {status_of(error), std::string("slurmctld: ") + slurm_strerror(error), {}};
    }
    const std::unique_ptr<job_info_msg_t, decltype(&slurm_free_job_info_msg)> answer(message, slurm_free_job_info_msg);
    ControllerJobs found{JobsStatus::answered, {}, {}};
    for (const slurm_job_info_t& job : std::span(answer->job_array, answer->record_count)) {
        const auto state = state_of(job);
        if (!state || (uid && job.user_id != *uid) || !is_on(job, nodes)) continue;
        // last_update is the time of the answer, by slurmctld's clock.
        const std::time_t running = std::max<std::time_t>(answer->last_update - job.start_time, 0);
        found.jobs.push_back({id_of(job), job.user_id, static_cast<std::uint32_t>(*state), static_cast<std::uint32_t>(running)});
    }
    return found;
}

ControllerJobDetails job_of_user(std::uint32_t job_id, uid_t uid)
{
    job_info_msg_t* message = nullptr;
    errno = 0;
    ControllerJobDetails found;
    if (load_job(&message, job_id, SHOW_ALL | SHOW_LOCAL) != SLURM_SUCCESS || message == nullptr) {
        const int error = errno;
        const bool is_unknown = error == ESLURM_INVALID_JOB_ID;
        found.reply.status = static_cast<std::uint32_t>(is_unknown ? JobsStatus::answered : status_of(error));
        found.error = std::string("slurmctld: ") + slurm_strerror(error);
        return found;
    }
    const std::unique_ptr<job_info_msg_t, decltype(&slurm_free_job_info_msg)> answer(message, slurm_free_job_info_msg);
    found.reply.status = static_cast<std::uint32_t>(JobsStatus::answered);
    // With the leader of a heterogeneous job, or of an array, its others come along.
    for (const slurm_job_info_t& job : std::span(answer->job_array, answer->record_count)) {
        if (id_of(job) != job_id || job.user_id != uid) continue;
        found.reply.job_id = job_id;
        found.reply.uid = job.user_id;
        found.reply.node_count = job.num_nodes;
        put(found.reply.name, job.name);
        put(found.reply.partition, job.partition);
        put(found.reply.account, job.account);
        put(found.reply.nodes, job.nodes);
        break;
    }
    return found;
}

}  // namespace slurm_adopt::helper
