// SPDX-License-Identifier: GPL-2.0-or-later
// Asks slurmrestd as the module does, and prints the jobs, a line each: "JOB_ID UID STATE SECONDS".
//
// usage: rest_ask HELPER URL NODE token|key FILE [uid=N] [user=NAME] [ca=FILE] [ms=N]
// HELPER is the path of slurm-adopt-helper; it is slurm-adopt-rest beside it that is started. Exit code 1: no answer.
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/text.h"

namespace {

using namespace slurm_adopt;

constexpr std::size_t fixed_arguments = 5;

const char* name_of(std::uint32_t state)
{
    switch (static_cast<helper_wire::JobState>(state)) {
    case helper_wire::JobState::starting: return "starting";
    case helper_wire::JobState::running: return "running";
    case helper_wire::JobState::ending: return "ending";
    }
    return "?";
}

int ask(const std::vector<std::string>& arguments)
{
    if (arguments.size() < fixed_arguments) return 2;
    HelperSettings settings;
    settings.program = arguments[0];
    settings.log_level = LogLevel::debug5;
    RestSettings rest;
    rest.url = arguments[1];
    (arguments[3] == "token" ? rest.token_file : rest.key_file) = arguments[4];
    ControllerQuestion question;
    question.node = arguments[2];
    std::uint32_t patience = 10000;
    for (std::size_t i = fixed_arguments; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        const std::string_view value = argument.substr(argument.find('=') + 1);
        if (argument.starts_with("uid=")) question.uid = parse_number<std::uint32_t>(value);
        if (argument.starts_with("user=")) rest.user = value;
        if (argument.starts_with("ca=")) rest.ca_file = value;
        if (argument.starts_with("ms=")) patience = parse_number<std::uint32_t>(value).value_or(patience);
    }
    question.rest = rest;
    const auto jobs = ask_controller(settings, question, Deadline::after(std::chrono::milliseconds(patience)));
    if (!jobs) {
        (void)std::fprintf(stderr, "%s\n", jobs.error().context.c_str());
        return 1;
    }
    for (const helper_wire::ControllerJob& job : jobs.value())
        std::printf("%u %u %s %u\n", job.job_id, job.uid, name_of(job.state), job.running_s);
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return ask({argv + (argc > 0 ? 1 : 0), argv + argc});
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "%s\n", error.what());
        return 2;
    }
}
