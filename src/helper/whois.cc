// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "answer.h"
#include "log.h"
#include "munge.h"
#include "ready.h"
#include "slurm_adopt/connection.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"
#include "slurm_api.h"
#include "slurm_output.h"
#include "source_node.h"

namespace slurm_adopt::helper {
namespace {

using namespace helper_wire;
using namespace std::chrono_literals;

// For the names of all nodes together. A login from a host that is no node must not wait for a resolver that is ill.
constexpr auto patience_with_resolver = 1000ms;
// 100,000 nodes are some 4 MiB.
constexpr std::size_t longest_hosts_file = std::size_t{32} * 1024 * 1024;

WhoisReply without_job(Status status)
{
    WhoisReply reply;
    reply.status = static_cast<std::uint32_t>(status);
    return reply;
}

bool may_be_asked(const Address& peer, const Address& local)
{
    // From this machine to itself: whatever its names resolve to here (127.0.1.1 ...), the slurmd asked is our own.
    if (peer == local) return true;
    const auto hosts = read_file("/etc/hosts", longest_hosts_file);
    switch (belongs_to(peer, node_addresses(), hosts ? std::string_view(hosts.value()) : std::string_view(), patience_with_resolver)) {
    case Belongs::yes:
        return true;
    case Belongs::no:
        log_info("source=" + to_text(peer) + " reason=not_a_node");
        return false;
    case Belongs::not_known_in_time:
        log_error("source=" + to_text(peer) + " reason=not_a_node: the resolver did not answer for every node in time");
        return false;
    }
    return false;
}

}  // namespace

WhoisReply answer(const WhoisRequest& request)
{
    const bool is_v6 = request.is_v6 != 0;
    const Address peer{is_v6, request.peer_address};
    const Address local{is_v6, request.local_address};
    if (const auto readable = check_slurm_conf(); !readable) {
        log_error(readable.error().context);
        return without_job(Status::no_config);
    }
    load_slurm_conf();
    if (!may_be_asked(peer, local)) return without_job(Status::not_a_node);
    // Without munge libslurm tries for two seconds, and says nothing until then.
    if (const auto munge = check_munge(authentication()); !munge) {
        log_error(printable(munge.error().context));
        return without_job(Status::no_munge);
    }

    const auto job = network_callerid(request);
    log_slurm_output();
    const std::string source = "source=" + to_text(peer) + " port=" + std::to_string(request.peer_port);
    if (!job) {
        log_info(source + " reason=no_answer: " + printable(job.error().context));
        return without_job(Status::no_answer);
    }
    if (job.value().job_id == 0) {
        log_info(source + " reason=no_job");
        return without_job(Status::no_job);
    }
    log_info(source + " node=" + log_value(job.value().node) + " job=" + std::to_string(job.value().job_id));
    WhoisReply reply = without_job(Status::answered);
    reply.job_id = job.value().job_id;
    // Shorter than the field, the rest of which is NUL.
    std::copy_n(job.value().node.begin(), std::min(job.value().node.size(), reply.node.size() - 1), reply.node.begin());
    return reply;
}

}  // namespace slurm_adopt::helper
