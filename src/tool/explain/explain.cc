// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "slurm_adopt/users.h"

namespace slurm_adopt::tool {
namespace {

Result<Done> find_stack(const ExplainRequest& request, Explanation& explanation)
{
    auto found = request.stack.empty() ? find_account_lines(request.directories, request.service)
                                       : find_account_lines_in(request.directories, request.stack);
    const bool no_file = !found && found.error().errno_value == ENOENT && request.stack.empty();
    if (!found && !no_file) return std::move(found).error();
    constexpr const char* without = "the module is not asked at a login, and what follows is by its defaults";
    if (no_file) {
        explanation.stack_note = fmt::format("{}: there is no such file: {}", found.error().context, without);
        return Done{};
    }
    explanation.stack = std::move(found).value();
    const FoundStack& stack = *explanation.stack;
    if (stack.lines.empty()) {
        explanation.stack_note = fmt::format("no account line of {} loads pam_slurm_adopt.so: {}", stack.file, without);
    } else if (stack.lines.size() > 1) {
        explanation.stack_note =
            fmt::format("{} account lines load pam_slurm_adopt.so (the next: {}): the first is explained",
                        stack.lines.size(), stack.lines[1].place.text());
    }
    if (stack.is_other)
        explanation.stack_note += fmt::format("{}the service {} has no file of its own, so {} is its stack",
                                              explanation.stack_note.empty() ? "" : "; ", request.service, stack.file);
    return Done{};
}

// Sockets that the kernel lists and this user cannot reach: root's dry run might find a job behind them.
std::size_t out_of_reach(const Roots& roots, const Options& options)
{
    auto found = discover(roots, options.spool_dir, options.nodename, Deadline::after(options.timeout));
    if (!found) return 1;
    const std::size_t listed = found.value().candidates.size();
    const Discovery seen = look_at_files(std::move(found).value());
    return listed - std::min(listed, seen.candidates.size() + seen.planted.size());
}

void look_around(const ExplainRequest& request, const Options& options, Explanation& explanation)
{
    if (request.is_root) {
        if (auto all = survey(request.roots, options.spool_dir, options.nodename, Deadline::after(options.timeout)))
            explanation.others = std::move(all).value();
        return;
    }
    explanation.run.unseen.push_back("the jobs of other users");
    const bool has_looked = failure_class(explanation.run.decision.reason) != FailureClass::none;
    const std::size_t lost = has_looked ? out_of_reach(request.roots, options) : 0;
    explanation.uncertain = explanation.run.is_uncertain;
    if (lost == 0) return;
    explanation.run.unseen.push_back(fmt::format("{} extern step(s) of this node: their sockets are out of reach", lost));
    explanation.uncertain = true;
}

}  // namespace

Result<Explanation> explain(const ExplainRequest& request)
{
    Explanation explanation;
    explanation.user = request.user;
    explanation.service = request.service;
    if (auto found = find_stack(request, explanation); !found) return std::move(found).error();

    DryRunRequest dry;
    dry.user = request.user;
    dry.service = request.service;
    if (explanation.stack && !explanation.stack->lines.empty())
        dry.arguments = explanation.stack->lines.front().arguments;
    dry.connection = request.source.connection;
    dry.client = request.source.client;
    dry.remote_host = request.source.remote_host;
    dry.is_root = request.is_root;
    dry.roots = request.roots;
    explanation.run = dry_run(dry);

    const std::vector<std::string_view> arguments(dry.arguments.begin(), dry.arguments.end());
    ParsedOptions parsed = parse_options(arguments);
    explanation.options = options_in_force(dry.arguments);
    explanation.option_errors = std::move(parsed.errors);
    explanation.source_note = request.source.note;
    explanation.has_connection = request.source.connection.has_value();
    if (const auto user = find_user(request.user); user && user.value()) explanation.uid = user.value()->uid;
    explanation.let_in = explanation.run.decision.verdict != Verdict::deny;
    explanation.outcome = outcome_of(explanation.run);
    look_around(request, parsed.options, explanation);
    return explanation;
}

}  // namespace slurm_adopt::tool
