// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain_command.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "explain.h"
#include "slurm_adopt/users.h"

namespace slurm_adopt::tool {
namespace {

struct Arguments {
    std::string user;
    std::string from;
    std::string service = "sshd";
    std::string stack;
};

std::string wrong_from(const std::string& text)
{
    return parse_from(text)
               ? ""
               : "'" + text + "' is no numeric address; write 198.51.100.7, 198.51.100.7:40022 or [2001:db8::7]:40022";
}

std::string wrong_service(const std::string& text)
{
    const bool fine = !text.empty() && text.find('/') == std::string::npos && text != "." && text != "..";
    return fine ? "" : "'" + text + "' is no name of a PAM service; a file is given with --stack";
}

Exit run(const Arguments& arguments, const Output& output)
{
    const bool is_root = ::geteuid() == 0;
    if (!is_root && arguments.user != user_name(::geteuid())) {
        output.error("only root may explain another user's login: run it with sudo, or explain yourself (" +
                     user_name(::geteuid()) + ")");
        return Exit::impossible;
    }
    ExplainRequest request;
    request.user = arguments.user;
    request.service = arguments.service;
    request.stack = arguments.stack;
    request.is_root = is_root;
    const auto from = parse_from(arguments.from);
    request.source = from ? source_of(request.roots.proc, *from) : source_of_session(std::getenv("SSH_CONNECTION"));
    const auto explanation = explain(request);
    if (!explanation) {
        output.error("the PAM stack cannot be read: " + explanation.error().context + (is_root ? "" : "; root can"));
        return Exit::impossible;
    }
    if (output.json) {
        output.document(json_of(explanation.value()));
    } else {
        for (const std::string& line : text_of(explanation.value(), output)) output.line(line);
    }
    if (explanation.value().uncertain) return Exit::impossible;
    return explanation.value().let_in ? Exit::yes : Exit::no;
}

}  // namespace

void add_explain_command(CLI::App& app, Context& context)
{
    auto* command = app.add_subcommand("explain", "What would happen to a login of USER's now, and why; adopts nobody");
    const auto arguments = std::make_shared<Arguments>();
    command->add_option("USER", arguments->user, "Whose login")->required();
    command->add_option("--from", arguments->from, "ADDR[:PORT]: where the login comes from (otherwise SSH_CONNECTION)")
        ->check(wrong_from);
    command->add_option("--service", arguments->service, "The PAM service")->check(wrong_service)->capture_default_str();
    command->add_option("--stack", arguments->stack, "FILE: read the PAM line there, not in the service's stack");
    command->callback([arguments, &context] { context.exit = run(*arguments, context.output); });
}

}  // namespace slurm_adopt::tool
