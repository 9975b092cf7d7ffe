// SPDX-License-Identifier: GPL-2.0-or-later
#include "use/use_command.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "slurm_adopt/job_file.h"
#include "slurm_adopt/text.h"
#include "slurm_adopt/users.h"
#include "use/choice_file.h"

namespace slurm_adopt::tool {
namespace {

struct Arguments {
    std::string job;
    bool clear = false;
};

std::string wrong_job(const std::string& text)
{
    const auto job = parse_job_id(text);
    return job ? "" : job.error().context;
}

// Who is somebody else by sudo would choose for root.
bool is_sudo()
{
    const char* caller = std::getenv("SUDO_UID");
    return ::geteuid() == 0 && caller != nullptr && std::string_view(caller) != "0";
}

Exit show(const std::string& home, const std::string& file, const Output& output)
{
    const auto job = job_in(read_job_file((home + std::string(job_file_config)).c_str(), ::geteuid()));
    const std::string error = job ? "" : job.error().context;
    if (output.json) {
        output.document({{"job", job && job.value() ? nlohmann::json(*job.value()) : nlohmann::json()},
                         {"file", file},
                         {"error", job ? nlohmann::json() : nlohmann::json(error)}});
    } else if (job) {
        output.line(job.value() ? fmt::format("job {}: where it runs, logins go there if the node lets users choose ({})", *job.value(),
                                              printable(file, file.size()))
                                : fmt::format("no job: {} is not there", printable(file, file.size())));
    }
    if (!job) {
        output.error(fmt::format("{} does not count: {}; choose anew with slurm-adopt use JOBID, or clear it with --clear", file, error));
        return Exit::impossible;
    }
    return job.value() ? Exit::yes : Exit::no;
}

Exit run(const Arguments& arguments, const Output& output)
{
    if (is_sudo()) {
        output.error("each user chooses for the own logins: run it without sudo, or with sudo -u USER");
        return Exit::impossible;
    }
    const auto user = find_user(user_name(::geteuid()));
    if (!user || !user.value() || !user.value()->home.starts_with('/')) {
        output.error(user ? fmt::format("the user database names no home directory of uid {}", ::geteuid()) : user.error().context);
        return Exit::impossible;
    }
    const std::string& home = user.value()->home;
    const std::string file = home + '/' + std::string(job_file_shown);
    if (arguments.clear) {
        const auto cleared = clear_choice(home);
        if (!cleared) {
            output.error(cleared.error().context);
            return Exit::impossible;
        }
    } else if (!arguments.job.empty()) {
        // By now nothing but a number: see wrong_job().
        const auto written = write_choice(home, parse_job_id(arguments.job).value());
        if (!written) {
            output.error(written.error().context);
            return Exit::impossible;
        }
    }
    const Exit exit = show(home, file, output);
    return arguments.clear && exit == Exit::no ? Exit::yes : exit;
}

}  // namespace

void add_use_command(CLI::App& app, Context& context)
{
    auto* command = app.add_subcommand("use", "Choose the job that your logins go to, where you have several on a node");
    const auto arguments = std::make_shared<Arguments>();
    auto* job = command->add_option("JOBID", arguments->job, "The job; without it: say which one is chosen")->check(wrong_job);
    command->add_flag("--clear", arguments->clear, "Choose none")->excludes(job);
    command->callback([arguments, &context] { context.exit = run(*arguments, context.output); });
}

}  // namespace slurm_adopt::tool
