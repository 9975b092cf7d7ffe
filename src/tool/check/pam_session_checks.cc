// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "check/checks.h"
#include "check/reached.h"
#include "pam_stack/flow.h"

namespace slurm_adopt::tool {
namespace {

using pam_stack::ActionKind;
using pam_stack::Module;

// The last line that moves the session out of the job.
std::optional<std::size_t> mover(const OurStack& session)
{
    if (!session.stack.ok()) return std::nullopt;
    const auto& modules = session.stack.value().modules;
    for (std::size_t i = modules.size(); i-- > 0;)
        if (module_name(modules[i].line) == "pam_systemd.so" || module_name(modules[i].line) == "pam_elogind.so") return i;
    return std::nullopt;
}

}  // namespace

Found check_session_line(const Node& node)
{
    if (!node.session.stack.ok()) return std::nullopt;
    if (!node.session.lines.empty()) {
        const auto& line = node.session.lines.front().line;
        return found_ok(line.place.text() + ": " + line.text());
    }
    const std::string fix = node.account.lines.empty()
                                ? "slurm-adopt enable --service " + node.service
                                : "add below the last session include: session required " + node.module_as_written() +
                                      " with the options of the account line";
    if (const auto moves = mover(node.session))
        return found_fail("no session line: " + where(node.session.stack.value().modules[*moves].line) +
                              " moves sessions out of their job, and nothing puts them back",
                          fix);
    return found_warn("no session line: a module that moves the session out of the job would not be noticed", fix);
}

Found check_session_control(const Node& node)
{
    if (node.session.lines.empty()) return std::nullopt;
    const auto counts = [](const OurLine& ours) {
        const ActionKind denied = ours.line.control.action("perm_denied").kind;
        return (denied == ActionKind::bad || denied == ActionKind::die) &&
               ours.line.control.action("ignore").kind == ActionKind::ignore;
    };
    const auto& line = node.session.lines.front().line;
    const std::string seen = line.place.text() + ": control " + line.control.text();
    if (std::any_of(node.session.lines.begin(), node.session.lines.end(), counts)) return found_ok(seen);
    return found_fail(seen + ": a session that could not be put back into its job goes on, not confined",
                      "write 'required' as the control of that line");
}

Found check_session_order(const Node& node)
{
    if (node.session.lines.empty()) return std::nullopt;
    const auto moves = mover(node.session);
    if (!moves) return found_ok("no pam_systemd in the session stack");
    const Module& module = node.session.stack.value().modules[*moves];
    if (node.session.lines.back().index > *moves) return found_ok("below " + where(module.line));
    const std::string below = where(module.included_by.empty() ? module.line : module.included_by.front());
    return found_fail(where(module.line) + " stands below our session line and moves sessions out of their job",
                      "move our session line below " + below + " (where slurm-adopt wrote it: slurm-adopt enable)");
}

Found check_session_reached(const Node& node)
{
    if (node.session.lines.empty()) return std::nullopt;
    return reached(node.session, pam_stack::Type::session);
}

}  // namespace slurm_adopt::tool
