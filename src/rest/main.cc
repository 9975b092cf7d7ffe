// SPDX-License-Identifier: GPL-2.0-or-later
// slurm-adopt-rest: asks slurmrestd which jobs the controller has on this node. Started like slurm-adopt-helper, and as
// confined as that; it links no libslurm, and so goes on where that is missing or being replaced.
//
// Exit codes: 0 a reply was sent; 1 none could be; 2 not started by the module.
#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "confine.h"
#include "exchange.h"
#include "log.h"
#include "rest/ask.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::rest {
namespace {

using namespace helper;
using namespace helper_wire;
using std::chrono::milliseconds;

// Of the option log_level: what is said before the module's own level is known.
constexpr std::uint32_t level_error = 2;
// The module's patience, less what it takes to say that it is over; and never the whole of our life.
constexpr milliseconds longest_patience = std::chrono::seconds(longest_life_seconds) - milliseconds(2000);

Deadline deadline_of(const JobsRequest& request)
{
    const milliseconds told(request.patience_ms);
    const milliseconds usable = told - std::max(told / 10, milliseconds(50));
    return Deadline::after(request.patience_ms == 0 ? longest_patience : std::clamp(usable, milliseconds(0), longest_patience));
}

int serve(const Module& module)
{
    const Deadline deadline = Deadline::after(patience_with_module);
    const auto header = read_header(module.socket, deadline);
    if (!header) {
        log_error("request: " + header.error().context);
        return exit_failed;
    }
    set_up_log(header.value().module_pid, header.value().log_level);
    if (header.value().verb != static_cast<std::uint32_t>(Verb::jobs)) {
        log_error("request: not what this program answers");
        return exit_failed;
    }
    const auto request = read_body<JobsRequest>(module.socket, deadline);
    if (!request) {
        log_error("request: " + request.error().context);
        return exit_failed;
    }
    if (request.value().controller != by_rest) {
        log_error("request: it is slurm-adopt-helper that asks slurmctld");
        return exit_failed;
    }
    return send_reply(module.socket, Verb::jobs, answer(request.value(), module.pid, deadline_of(request.value())));
}

int run(const std::vector<std::string>& arguments)
{
    if (arguments.size() == 1 && arguments.front() == "--version") {
        std::printf("slurm-adopt-rest %s (%s)\n", SLURM_ADOPT_VERSION, ::curl_version());
        return std::fflush(stdout) == 0 ? exit_done : exit_failed;
    }
    if (!arguments.empty()) {
        (void)std::fputs("slurm-adopt-rest: takes no arguments but --version; pam_slurm_adopt.so starts it\n", stderr);
        return exit_usage;
    }
    const auto module = find_module();
    if (!module) {
        (void)std::fprintf(stderr, "slurm-adopt-rest: asks slurmrestd for jobs, for pam_slurm_adopt.so, which starts it; not to be run "
                                   "by hand (%s)\n", module.error().context.c_str());
        return exit_usage;
    }
    set_up_log(::getppid(), level_error);
    if (const auto confined = confine(module.value().pid); !confined) {
        log_error(confined.error().context);
        return exit_failed;
    }
    return serve(module.value());
}

}  // namespace
}  // namespace slurm_adopt::rest

int main(int argc, char** argv)
{
    int status = 1;
    try {
        status = slurm_adopt::rest::run({argv + (argc > 0 ? 1 : 0), argv + argc});
    } catch (const std::exception& error) {
        try {
            slurm_adopt::helper::log_error(error.what());
        } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
        }
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
    // Not exit(): a thread of libcurl's may hang in the resolver.
    ::_exit(status);
}
