// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt-helper: what pam_slurm_adopt.so does not do inside sshd. Started by the module with an empty environment,
// descriptor 3 being one end of a socketpair; reads one request, writes one reply, ends.
//
// Exit codes: 0 a reply was sent; 1 none could be; 2 not started by the module.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "answer.h"
#include "confine.h"
#include "exchange.h"
#include "log.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_wire.h"
#include "slurm_api.h"
#include "slurm_output.h"

namespace slurm_adopt::helper {
namespace {

using namespace helper_wire;

// Of the option log_level: what is said before the module's own level is known.
constexpr std::uint32_t level_error = 2;

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

int serve(const Fd& socket)
{
    const Deadline deadline = Deadline::after(patience_with_module);
    const auto header = read_header(socket, deadline);
    if (!header) {
        log_error("request: " + header.error().context);
        return exit_failed;
    }
    set_up_log(header.value().module_pid, header.value().log_level);
    switch (static_cast<Verb>(header.value().verb)) {
    case Verb::times:
        return serve_verb<TimesRequest>(socket, Verb::times, deadline);
    case Verb::whois:
        prepare_for_slurm<WhoisReply>(socket, Verb::whois, Status::no_config);
        return serve_verb<WhoisRequest>(socket, Verb::whois, deadline);
    case Verb::jobs:
        prepare_for_slurm<JobsReply>(socket, Verb::jobs, JobsStatus::no_config);
        return serve_verb<JobsRequest>(socket, Verb::jobs, deadline);
    case Verb::config:
        prepare_for_slurm<ConfigReply>(socket, Verb::config, ConfigStatus::no_config);
        return serve_verb<ConfigRequest>(socket, Verb::config, deadline);
    }
    return exit_failed;
}

int run(const std::vector<std::string>& arguments)
{
    if (arguments.size() == 1 && arguments.front() == "--version") {
        std::printf("slurm-adopt-helper %s (libslurm %s)\n", SLURM_ADOPT_VERSION, slurm_version().c_str());
        return std::fflush(stdout) == 0 ? exit_done : exit_failed;
    }
    if (!arguments.empty()) {
        (void)std::fputs("slurm-adopt-helper: takes no arguments but --version; pam_slurm_adopt.so starts it\n", stderr);
        return exit_usage;
    }
    const auto module = find_module();
    if (!module) {
        (void)std::fprintf(stderr, "slurm-adopt-helper: finds the source job of logins for pam_slurm_adopt.so, which starts it; "
                                   "not to be run by hand (%s)\n", module.error().context.c_str());
        return exit_usage;
    }
    set_up_log(::getppid(), level_error);
    if (const auto confined = confine(module.value().pid); !confined) {
        log_error(confined.error().context);
        return exit_failed;
    }
    return serve(module.value().socket);
}

}  // namespace
}  // namespace slurm_adopt::helper

int main(int argc, char** argv)
{
    int status = 1;
    try {
        status = slurm_adopt::helper::run({argv + (argc > 0 ? 1 : 0), argv + argc});
    } catch (const std::exception& error) {
        try {
            slurm_adopt::helper::log_error(error.what());
        } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
        }
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
    // Not exit(): libslurm's clean-up has nothing to say any more, and threads may hang in the resolver.
    ::_exit(status);
}
