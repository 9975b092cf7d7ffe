// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/helper_client.h"

#include <unistd.h>

#include <algorithm>

#include "slurm_adopt/child.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/unix_stream.h"

namespace slurm_adopt {
namespace {

using namespace helper_wire;

template <class Reply>
Result<Reply> talk(const Child& child, Verb verb, const std::vector<std::byte>& request, Deadline deadline)
{
    if (auto sent = send_all(child.socket(), request, deadline); !sent) return std::move(sent).error();
    // No more than one reply is ever read, however much there may be.
    std::vector<std::byte> reply(sizeof(Header) + sizeof(Reply));
    if (auto received = receive_all(child.socket(), reply, child.wait_for_output(deadline)); !received) return std::move(received).error();
    const std::span<const std::byte> bytes(reply);
    const auto header = decode_header(bytes.first(sizeof(Header)));
    if (!header) return header.error();
    if (header.value().verb != static_cast<std::uint32_t>(verb)) return Error{ErrorCode::protocol, 0, "answer to another question"};
    return decode_body<Reply>(bytes.subspan(sizeof(Header)));
}

template <class Reply, class Request>
Result<Reply> ask(const HelperSettings& settings, Verb verb, const Request& request, Deadline deadline)
{
    if (auto trusted = check_program(settings.program); !trusted) return std::move(trusted).error().in("helper");
    std::vector<std::string> environment;
    if (!settings.slurm_conf.empty()) environment.push_back("SLURM_CONF=" + settings.slurm_conf);
    auto child = Child::start(settings.program, environment);
    if (!child) return std::move(child).error().in("helper");
    const auto message = encode(verb, request, ::getpid(), static_cast<std::uint32_t>(settings.log_level));
    auto reply = talk<Reply>(child.value(), verb, message, deadline);
    if (reply) return reply;
    // How it ended says more than that its end of the socket is closed.
    return std::move(reply).error().in("helper " + settings.program + " " + child.value().finish(deadline));
}

Result<JobsRequest> request_for(const ControllerQuestion& question, Deadline deadline)
{
    if (question.node.empty()) return Error{ErrorCode::malformed, 0, "this machine has no host name to ask the controller with: nodename="};
    JobsRequest request;
    request.patience_ms = static_cast<std::uint32_t>(deadline.poll_timeout());
    request.controller = question.rest ? by_rest : by_rpc;
    request.uid = question.uid.value_or(every_uid);
    bool fits = put_whole(request.node, question.node);
    if (const auto& rest = question.rest)
        fits = fits && put_whole(request.url, rest->url) && put_whole(request.user, rest->user) && put_whole(request.token_file, rest->token_file) &&
               put_whole(request.key_file, rest->key_file) && put_whole(request.ca_file, rest->ca_file);
    if (!fits) return Error{ErrorCode::too_large, 0, "a name, path or URL is too long to ask the controller with"};
    return request;
}

// What slurm-adopt-helper does by libslurm its neighbour does by HTTP.
HelperSettings settings_for(const ControllerQuestion& question, const HelperSettings& settings)
{
    HelperSettings asked = settings;
    if (question.rest) asked.program = settings.program.substr(0, settings.program.rfind('/') + 1) + "slurm-adopt-rest";
    return asked;
}

// Why the controller has not answered.
Error failure_of(JobsStatus status, bool by_rest)
{
    switch (status) {
    case JobsStatus::no_config:
        return Error{ErrorCode::refused, 0, by_rest ? "token, key or CA file cannot be used" : "the helper could not read slurm.conf"};
    case JobsStatus::unreachable:
        return Error{ErrorCode::refused, 0, "the controller does not answer"};
    case JobsStatus::refused:
        return Error{ErrorCode::refused, 0, "the controller does not take our credential"};
    case JobsStatus::malformed:
        return Error{ErrorCode::refused, 0, "the controller's answer is none"};
    case JobsStatus::answered:
    case JobsStatus::failed:
        break;
    }
    return Error{ErrorCode::refused, 0, "the controller could not be asked"};
}

std::string text_of(std::span<const char> field)
{
    return {field.begin(), std::find(field.begin(), field.end(), '\0')};
}

SlurmdPlace place_of(const ConfigNode& node)
{
    return {text_of(node.name), text_of(node.address), static_cast<std::uint16_t>(node.port)};
}

SlurmConfig settings_of(const ConfigReply& reply)
{
    SlurmConfig config;
    config.version = text_of(reply.version);
    config.contain = (reply.flags & flag_contain) != 0;
    config.x11 = (reply.flags & flag_x11) != 0;
    config.use_pam = (reply.flags & flag_use_pam) != 0;
    config.proctrack_type = text_of(reply.proctrack_type);
    config.task_plugin = text_of(reply.task_plugin);
    config.launch_parameters = text_of(reply.launch_parameters);
    config.job_container = text_of(reply.job_container);
    config.slurmd_parameters = text_of(reply.slurmd_parameters);
    config.spool_dir = text_of(reply.spool_dir);
    if (reply.own != ConfigNode{}) config.own = place_of(reply.own);
    config.nodes = reply.nodes;
    for (std::uint32_t i = 0; i < reply.peer_count; ++i) config.peers.push_back(place_of(reply.peers[i]));
    return config;
}

}  // namespace

Result<SourceAnswer> ask_source_job(const HelperSettings& settings, const Connection& connection, Deadline deadline)
{
    WhoisRequest request;
    request.is_v6 = connection.peer.address.is_v6 ? 1 : 0;
    request.local_address = connection.local.address.bytes;
    request.peer_address = connection.peer.address.bytes;
    request.local_port = connection.local.port;
    request.peer_port = connection.peer.port;
    const auto reply = ask<WhoisReply>(settings, Verb::whois, request, deadline);
    if (!reply) return reply.error();
    switch (static_cast<Status>(reply.value().status)) {
    case Status::answered:
        return SourceAnswer{SourceAnswer::Kind::job, reply.value().job_id};
    case Status::not_a_node:
        return SourceAnswer{SourceAnswer::Kind::not_a_node};
    case Status::no_job:
        return SourceAnswer{SourceAnswer::Kind::no_job};
    case Status::no_answer:
        return Error{ErrorCode::refused, 0, "the source node's slurmd could not be asked"};
    case Status::no_config:
        return Error{ErrorCode::refused, 0, "the helper could not read slurm.conf"};
    case Status::no_munge:
        return Error{ErrorCode::refused, 0, "munge does not run on this node"};
    case Status::failed:
        break;
    }
    return Error{ErrorCode::refused, 0, "the helper could not find out"};
}

Result<std::vector<std::int64_t>> ask_step_starts(const HelperSettings& settings, const std::vector<pid_t>& pids, Deadline deadline)
{
    if (pids.size() > most_steps) return Error{ErrorCode::too_large, 0, "too many steps to ask the helper about"};
    // 0 is that of a process in a pid namespace out of sight. The helper would refuse the question.
    if (std::any_of(pids.begin(), pids.end(), [](pid_t pid) { return pid <= 0; }))
        return Error{ErrorCode::refused, 0, "a slurmstepd is out of sight"};
    TimesRequest request;
    request.count = static_cast<std::uint32_t>(pids.size());
    std::copy(pids.begin(), pids.end(), request.pids.begin());
    const auto reply = ask<TimesReply>(settings, Verb::times, request, deadline);
    if (!reply) return reply.error();
    if (reply.value().count != pids.size()) return Error{ErrorCode::protocol, 0, "the helper answered for another number of steps"};
    const auto begin = reply.value().began_ns.begin();
    std::vector<std::int64_t> starts(begin, begin + static_cast<std::ptrdiff_t>(pids.size()));
    if (std::find(starts.begin(), starts.end(), 0) != starts.end())
        return Error{ErrorCode::refused, 0, "the helper found no step_extern directory"};
    return starts;
}

Result<std::vector<ControllerJob>> ask_controller(const HelperSettings& settings, const ControllerQuestion& question, Deadline deadline)
{
    const auto request = request_for(question, deadline);
    if (!request) return request.error();
    const auto reply = ask<JobsReply>(settings_for(question, settings), Verb::jobs, request.value(), deadline);
    if (!reply) return reply.error();
    const auto status = static_cast<JobsStatus>(reply.value().status);
    if (status != JobsStatus::answered) return failure_of(status, question.rest.has_value());
    return std::vector<ControllerJob>(reply.value().jobs.begin(), reply.value().jobs.begin() + reply.value().count);
}

Result<JobDetails> ask_job_details(const HelperSettings& settings, const ControllerQuestion& question, std::uint32_t job_id,
                                   Deadline deadline)
{
    const auto about = request_for(question, deadline);
    if (!about) return about.error();
    const auto answered = ask<JobReply>(settings_for(question, settings), Verb::job, JobRequest{about.value(), job_id}, deadline);
    if (!answered) return answered.error();
    const JobReply& reply = answered.value();
    const auto status = static_cast<JobsStatus>(reply.status);
    if (status != JobsStatus::answered) return failure_of(status, question.rest.has_value());
    if (reply.job_id == 0) return Error{ErrorCode::refused, 0, "the controller knows no such job of the user's"};
    if (reply.job_id != job_id || reply.uid != question.uid) return Error{ErrorCode::protocol, 0, "answer about another job"};
    return JobDetails{.name = text_of(reply.name),
                      .partition = text_of(reply.partition),
                      .account = text_of(reply.account),
                      .nodes = text_of(reply.nodes),
                      .node_count = reply.node_count};
}

Result<SlurmConfig> ask_slurm_config(const HelperSettings& settings, const std::string& node, Deadline deadline)
{
    ConfigRequest request;
    if (!put_whole(request.node, node)) return Error{ErrorCode::too_large, 0, "the node's name is too long"};
    const auto reply = ask<ConfigReply>(settings, Verb::config, request, deadline);
    if (!reply) return reply.error();
    switch (static_cast<ConfigStatus>(reply.value().status)) {
    case ConfigStatus::answered:
        return settings_of(reply.value());
    case ConfigStatus::no_config:
        return Error{ErrorCode::refused, 0, "the helper could not read slurm.conf"};
    case ConfigStatus::failed:
        break;
    }
    return Error{ErrorCode::refused, 0, "the helper could not find out"};
}

}  // namespace slurm_adopt
