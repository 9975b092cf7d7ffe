// SPDX-License-Identifier: GPL-2.0-or-later
#include "list_command.h"

#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "list.h"
#include "slurm_adopt/options.h"

namespace slurm_adopt::tool {
namespace {

struct Arguments {
    std::string spool_dir;
    std::string nodename;
};

// By the module's own rules, so that what is said here can be written there.
std::string wrong_option(const std::string& option)
{
    const std::array<std::string_view, 1> arguments = {option};
    const ParsedOptions parsed = parse_options(arguments);
    return parsed.errors.empty() ? "" : parsed.errors.front();
}

Exit run(const Arguments& arguments, const Output& output)
{
    const Options defaults;
    const auto list = list_jobs(Roots{}, arguments.spool_dir, arguments.nodename, Deadline::after(defaults.timeout));
    if (!list) {
        output.error("the extern steps cannot be listed: " + list.error().context);
        return Exit::impossible;
    }
    if (output.json) {
        output.document(json_of(list.value()));
    } else {
        for (const std::string& line : text_of(list.value())) output.line(line);
    }
    return Exit::yes;
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
    command->callback([arguments, &context] { context.exit = run(*arguments, context.output); });
}

}  // namespace slurm_adopt::tool
