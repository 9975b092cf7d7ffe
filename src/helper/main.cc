// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt-helper: what pam_slurm_adopt.so does not do inside sshd. Started by the module with an empty environment,
// descriptor 3 being one end of a socketpair; reads one request, writes one reply, ends.
//
// Exit codes: 0 a reply was sent; 1 none could be; 2 not started by the module.
#include <string>

#include "answer.h"
#include "exchange.h"
#include "log.h"
#include "program.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_api.h"
#include "slurm_output.h"

namespace slurm_adopt::helper {
namespace {

using namespace helper_wire;

// libslurm ends the process where it finds no configuration: then that is the reply.
template <class Reply, class ReplyStatus>
void prepare_for_slurm(const Fd& socket, Verb verb, ReplyStatus no_config)
{
    catch_slurm_output();
    at_exit_of_slurm([&socket, verb, no_config] {
        Reply reply;
        reply.status = static_cast<std::uint32_t>(no_config);
        return send_reply(socket, verb, reply);
    });
}

template <class Request>
int serve_verb(const Fd& socket, Verb verb, Deadline deadline)
{
    const auto request = read_body<Request>(socket, deadline);
    if (request) return send_reply(socket, verb, answer(request.value()));
    log_error("request: " + request.error().context);
    return exit_failed;
}

int serve(const Module& module, const Header& header, Deadline deadline)
{
    const Fd& socket = module.socket;
    switch (static_cast<Verb>(header.verb)) {
    case Verb::times:
        return serve_verb<TimesRequest>(socket, Verb::times, deadline);
    case Verb::whois:
        prepare_for_slurm<WhoisReply>(socket, Verb::whois, Status::no_config);
        return serve_verb<WhoisRequest>(socket, Verb::whois, deadline);
    case Verb::jobs:
        prepare_for_slurm<JobsReply>(socket, Verb::jobs, JobsStatus::no_config);
        return serve_verb<JobsRequest>(socket, Verb::jobs, deadline);
    case Verb::job:
        prepare_for_slurm<JobReply>(socket, Verb::job, JobsStatus::no_config);
        return serve_verb<JobRequest>(socket, Verb::job, deadline);
    case Verb::config:
        prepare_for_slurm<ConfigReply>(socket, Verb::config, ConfigStatus::no_config);
        return serve_verb<ConfigRequest>(socket, Verb::config, deadline);
    }
    return exit_failed;
}

std::string version_text()
{
    return std::string(SLURM_ADOPT_VERSION) + " (libslurm " + slurm_version() + ')';
}

}  // namespace
}  // namespace slurm_adopt::helper

int main(int argc, char** argv)
{
    using namespace slurm_adopt::helper;
    run_program({"slurm-adopt-helper", "finds the source job of logins for", version_text, serve}, argc, argv);
}
