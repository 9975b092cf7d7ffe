// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <span>

#include "check/checks.h"
#include "check/owner.h"
#include "check/reached.h"
#include "pam_stack/flow.h"

namespace slurm_adopt::tool {
namespace {

using pam_stack::ActionKind;
using pam_stack::Module;

// They say yes to every account of the system that is in order, with or without a job.
constexpr std::array let_everybody_in = {"pam_unix.so",   "pam_permit.so", "pam_sss.so",       "pam_ldap.so",  "pam_krb5.so",
                                         "pam_winbind.so", "pam_env.so",    "pam_localuser.so", "pam_nologin.so"};

bool lets_everybody_in(const Module& module)
{
    return std::find(let_everybody_in.begin(), let_everybody_in.end(), module_name(module.line)) != let_everybody_in.end();
}

// Nothing there chooses between users: such modules, and the pam_deny that common-account jumps over.
bool all_get_in(std::span<const Module> modules)
{
    return !modules.empty() && lets_everybody_in(modules.front()) &&
           std::all_of(modules.begin(), modules.end(),
                       [](const Module& module) { return lets_everybody_in(module) || module_name(module.line) == "pam_deny.so"; });
}

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
                              "correct that line or file; until then libpam refuses logins, or lets service 'other' decide");
    const auto& files = node.account.stack.value().files;
    return found_ok(files.front() + " and " + std::to_string(files.size() - 1) + " files that it includes");
}

Found check_pam_owner(const Node& node)
{
    for (const auto* const stack : {&node.account.stack, &node.session.stack}) {
        if (!stack->ok()) return std::nullopt;
        for (const std::string& file : stack->value().files) {
            Finding found = roots_alone(file, "write it again");
            if (found.status != Status::ok) return found;
        }
    }
    return found_ok(node.account.stack.value().files.front() + " and what it includes: root's, writable by nobody else");
}

Found check_pam_phases(const Node& node)
{
    for (const auto type : {pam_stack::Type::auth, pam_stack::Type::password}) {
        const auto stack = pam_stack::read_stack(node.roots.pam, node.service, type);
        if (!stack.ok()) continue;  // libpam's own trouble, and not ours: it logs it
        const auto ours = find_modules(stack.value(), "pam_slurm_adopt.so");
        if (ours.empty()) continue;
        return found_fail(ours.front().line.place.text() + ": an '" + std::string(type_name(type)) +
                              "' line loads the module, which has no such phase: who comes with a password is refused",
                          "remove that line: the module belongs into an account and a session line");
    }
    return found_ok("no auth and no password line loads the module");
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
    const auto below = std::span(modules).subspan(ours.index + 1);
    if (decided_below && all_get_in(below))
        return found_fail(seen + ": who is refused gets in all the same, by '" + below.front().line.text() + "' below it",
                          "write 'required' as the control of that line");
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
