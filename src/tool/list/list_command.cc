// SPDX-License-Identifier: GPL-2.0-or-later
#include "list_command.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "explain/account_lines.h"
#include "list.h"
#include "slurm_adopt/options.h"

namespace slurm_adopt::tool {
namespace {

struct Arguments {
    std::string spool_dir;
    std::string nodename;
    bool controller = false;
    std::string service = "sshd";
};

// By the module's own rules, so that what is said here can be written there.
std::string wrong_option(const std::string& option)
{
    const std::array<std::string_view, 1> arguments = {option};
    const ParsedOptions parsed = parse_options(arguments);
    return parsed.errors.empty() ? "" : parsed.errors.front();
}

// Those of the line that the service's logins go by: it says how the controller is asked. Defaults where there is none.
Options options_of(const std::string& service)
{
    const auto stack = find_account_lines({}, service);
    if (!stack || stack.value().lines.empty()) return {};
    const std::vector<std::string>& line = stack.value().lines.front().arguments;
    const std::vector<std::string_view> arguments(line.begin(), line.end());
    ParsedOptions parsed = parse_options(arguments);
    return parsed.errors.empty() ? std::move(parsed.options) : Options{};
}

ControllerList ask_for_jobs_as(const Arguments& arguments)
{
    Options options = options_of(arguments.service);
    if (!arguments.nodename.empty()) options.nodename = arguments.nodename;
    return ask_for_jobs(options);
}

Exit run(const Arguments& arguments, const Output& output)
{
    if (arguments.controller && ::geteuid() != 0) {
        output.error("only root can ask the controller: run it with sudo, or without --controller");
        return Exit::impossible;
    }
    const Options defaults;
    auto list = list_jobs(Roots{}, arguments.spool_dir, arguments.nodename, Deadline::after(defaults.timeout));
    if (!list) {
        output.error("the extern steps cannot be listed: " + list.error().context);
        return Exit::impossible;
    }
    if (arguments.controller) list.value().controller = ask_for_jobs_as(arguments);
    if (output.json) {
        output.document(json_of(list.value()));
    } else {
        for (const std::string& line : text_of(list.value())) output.line(line);
    }
    const auto& controller = list.value().controller;
    return controller && !controller->error.empty() ? Exit::impossible : Exit::yes;
}

}  // namespace

void add_list_command(CLI::App& app, Context& context)
{
    auto* command = app.add_subcommand("list", "The jobs on this node, and the logins in them");
    const auto arguments = std::make_shared<Arguments>();
    command
        ->add_option("--spool-dir", arguments->spool_dir,
                     "DIR: look for the sockets there, as spool_dir= of the module does")
        ->check([](const std::string& text) { return wrong_option("spool_dir=" + text); });
    command->add_option("--nodename", arguments->nodename, "NAME: only this node's, where several slurmd run on one machine")
        ->check([](const std::string& text) { return wrong_option("nodename=" + text); });
    command->add_flag("--controller", arguments->controller, "Also the jobs that the controller has on this node");
    command->add_option("--service", arguments->service, "The PAM service whose line says how to ask the controller")
        ->capture_default_str();
    command->callback([arguments, &context] { context.exit = run(*arguments, context.output); });
}

}  // namespace slurm_adopt::tool
