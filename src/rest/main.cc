// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt-rest: asks slurmrestd which jobs the controller has on this node, or what it knows of one. Started like slurm-adopt-helper, and as
// confined as that; it links no libslurm, and so goes on where that is missing or being replaced.
//
// Exit codes: 0 a reply was sent; 1 none could be; 2 not started by the module.
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "exchange.h"
#include "log.h"
#include "program.h"
#include "rest/ask.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::rest {
namespace {

using namespace helper;
using namespace helper_wire;
using std::chrono::milliseconds;

// The module's patience, less what it takes to say that it is over; and never the whole of our life.
constexpr milliseconds longest_patience = std::chrono::seconds(longest_life_seconds) - milliseconds(2000);

Deadline deadline_of(const JobsRequest& request)
{
    const milliseconds told(request.patience_ms);
    const milliseconds usable = told - std::max(told / 10, milliseconds(50));
    return Deadline::after(request.patience_ms == 0 ? longest_patience : std::clamp(usable, milliseconds(0), longest_patience));
}

const JobsRequest& about(const JobsRequest& request)
{
    return request;
}

const JobsRequest& about(const JobRequest& request)
{
    return request.about;
}

template <class Request>
int serve_verb(const Module& module, Verb verb, Deadline deadline)
{
    const auto request = read_body<Request>(module.socket, deadline);
    if (!request) {
        log_error("request: " + request.error().context);
        return exit_failed;
    }
    const JobsRequest& how = about(request.value());
    if (how.controller != by_rest) {
        log_error("request: it is slurm-adopt-helper that asks slurmctld");
        return exit_failed;
    }
    return send_reply(module.socket, verb, answer(request.value(), module.pid, deadline_of(how)));
}

int serve(const Module& module, const Header& header, Deadline deadline)
{
    const auto verb = static_cast<Verb>(header.verb);
    if (verb == Verb::jobs) return serve_verb<JobsRequest>(module, verb, deadline);
    if (verb == Verb::job) return serve_verb<JobRequest>(module, verb, deadline);
    log_error("request: not what this program answers");
    return exit_failed;
}

std::string version_text()
{
    return std::string(SLURM_ADOPT_VERSION) + " (" + ::curl_version() + ')';
}

}  // namespace
}  // namespace slurm_adopt::rest

int main(int argc, char** argv)
{
    using namespace slurm_adopt;
    helper::run_program({"slurm-adopt-rest", "asks slurmrestd for jobs, for", rest::version_text, rest::serve}, argc, argv);
}
