// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "check/checks.h"
#include "check/reached.h"
#include "pam_stack/flow.h"

namespace slurm_adopt::tool {
namespace {

using pam_stack::ActionKind;
using pam_stack::Module;

bool refuses(ActionKind kind)
{
    return kind == ActionKind::bad || kind == ActionKind::die;
}

}  // namespace

Found check_pam_files(const Node& node)
{
    for (const auto* const stack : {&node.account.stack, &node.session.stack})
        if (!stack->ok())
            return found_fail(stack->error().context,
                              "correct that line or file; until then libpam refuses logins to '" + node.service + "'");
    const auto& files = node.account.stack.value().files;
    return found_ok(files.front() + " and " + std::to_string(files.size() - 1) + " files that it includes");
}

Found check_account_line(const Node& node)
{
    if (!node.account.stack.ok()) return std::nullopt;
    if (node.account.lines.empty())
        return found_fail("no account line loads pam_slurm_adopt.so: everybody gets in, with or without a job",
                          "slurm-adopt enable --service " + node.service);
    const auto& line = node.account.lines.front().line;
    return found_ok(line.place.text() + ": " + line.text());
}

Found check_account_control(const Node& node)
{
    if (node.account.lines.empty()) return std::nullopt;
    const OurLine& ours = node.account.lines.front();
    const std::string seen = ours.line.place.text() + ": control " + ours.line.control.text();
    const auto& control = ours.line.control;
    if (control.action("ignore").kind != ActionKind::ignore)
        return found_fail(seen + ": root is refused, for whom the module says 'ignore'",
                          "write 'required' as the control of that line");
    if (refuses(control.action("perm_denied").kind)) return found_ok(seen);
    const auto& modules = node.account.stack.value().modules;
    const ActionKind adopted = control.action("success").kind;
    const bool decided_below =
        (adopted == ActionKind::done || adopted == ActionKind::jump) && ours.index + 1 < modules.size();
    if (decided_below)
        return found_warn(seen + ": who is refused is asked about below: '" + modules[ours.index + 1].line.text() + "'",
                          "where these lines are not meant to let users in without a job, write 'required' as the control");
    return found_fail(seen + ": who is refused gets in all the same", "write 'required' as the control of that line");
}

Found check_account_reached(const Node& node)
{
    if (node.account.lines.empty()) return std::nullopt;
    return reached(node.account, pam_stack::Type::account);
}

Found check_account_not_alone(const Node& node)
{
    if (node.account.lines.empty()) return std::nullopt;
    const auto& modules = node.account.stack.value().modules;
    const bool other = std::any_of(modules.begin(), modules.end(), [](const Module& module) {
        const ActionKind success = module.line.control.action("success").kind;
        return module_name(module.line) != "pam_slurm_adopt.so" && module_name(module.line) != "pam_deny.so" &&
               (success == ActionKind::ok || success == ActionKind::done);
    });
    if (other) return found_ok("another account line says yes to root");
    return found_fail("no other account line can say yes: root is refused, because the module passes over root",
                      "add 'account required pam_unix.so' above " + node.account.lines.front().line.place.text());
}

}  // namespace slurm_adopt::tool
