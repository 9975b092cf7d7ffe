// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/check_command.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "check/checks.h"

namespace slurm_adopt::tool {
namespace {

struct Arguments {
    std::string service = "sshd";
    std::string directory;
    std::string sshd_config;
};

std::string_view name_of(Status status)
{
    switch (status) {
    case Status::ok: return "OK";
    case Status::warn: return "WARN";
    case Status::fail: return "FAIL";
    }
    return {};
}

Colour colour_of(Status status)
{
    switch (status) {
    case Status::ok: return Colour::good;
    case Status::warn: return Colour::warning;
    case Status::fail: return Colour::bad;
    }
    return Colour::none;
}

// Control characters of file names and the like; no limit to the length.
std::string safe(std::string text)
{
    for (char& c : text)
        if (c < ' ' || c > '~') c = '?';
    return text;
}

void show(std::string_view name, const Finding& finding, const Output& output)
{
    const std::string status = output.coloured(colour_of(finding.status), fmt::format("{:<4}", name_of(finding.status)));
    output.line(fmt::format("{}  {:<23} {}", status, name, safe(finding.seen)));
    if (finding.status != Status::ok) output.line(fmt::format("      {:<23} fix: {}", "", safe(finding.fix)));
}

}  // namespace

Exit run_checks(const Node& node, const Output& output)
{
    nlohmann::json document{{"service", node.service}, {"checks", nlohmann::json::array()}};
    unsigned warnings = 0;
    unsigned failures = 0;
    for (const Check& check : all_checks()) {
        const Found found = check.look(node);
        if (!found) continue;
        if (found->status == Status::warn) ++warnings;
        if (found->status == Status::fail) ++failures;
        if (output.json)
            document["checks"].push_back(
                {{"name", check.name}, {"status", name_of(found->status)}, {"seen", found->seen}, {"fix", found->fix}});
        else
            show(check.name, *found, output);
    }
    document["warnings"] = warnings;
    document["failures"] = failures;
    if (output.json)
        output.document(document);
    else
        output.line(fmt::format("{} failures, {} warnings", failures, warnings));
    return failures == 0 ? Exit::yes : Exit::no;
}

void add_check_command(CLI::App& app, Context& context)
{
    // CLI::App keeps the callback, and this what it writes to.
    const auto arguments = std::make_shared<Arguments>();
    CLI::App* const command = app.add_subcommand("check", "Look whether this node is set up right; changes nothing");
    command->add_option("--service", arguments->service, "The PAM service")->capture_default_str()->check([](const std::string& name) {
        return pam_stack::is_service_name(name) ? std::string() : "has to be the name of a PAM service, such as sshd";
    });
    command->add_option("--confdir", arguments->directory, "The directory of PAM service files, in place of /etc/pam.d");
    command->add_option("--sshd-config", arguments->sshd_config, "sshd's configuration file, where it is started with -f");
    command->callback([arguments, &context] {
        CheckRoots roots = CheckRoots::of_this_machine();
        if (!arguments->directory.empty()) roots.pam.paths = {arguments->directory};
        if (!arguments->sshd_config.empty()) {
            roots.sshd_config = arguments->sshd_config;
            roots.sshd.insert(roots.sshd.end(), {"-f", arguments->sshd_config});
        }
        context.exit = run_checks(look_at(std::move(roots), arguments->service), context.output);
    });
}

}  // namespace slurm_adopt::tool
