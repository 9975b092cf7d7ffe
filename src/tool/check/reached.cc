// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/reached.h"

#include <algorithm>
#include <optional>

#include "pam_stack/flow.h"

namespace slurm_adopt::tool {
namespace {

using pam_stack::Module;
using pam_stack::Stack;
using pam_stack::Type;

std::optional<Module> first_above(const Stack& stack, std::size_t index, bool (*is_meant)(const Module&))
{
    const auto end = stack.modules.begin() + static_cast<std::ptrdiff_t>(index);
    const auto found = std::find_if(stack.modules.begin(), end, is_meant);
    return found == end ? std::nullopt : std::optional(*found);
}

// Asked by everybody: nothing above it ends the phase or jumps over it.
std::optional<Module> denies_everybody(const Stack& stack, std::size_t index)
{
    for (std::size_t i = 0; i < index; ++i) {
        if (pam_stack::ends_the_phase(stack.modules[i])) return std::nullopt;
        if (module_name(stack.modules[i].line) == "pam_deny.so" && jumps_over(stack, i).empty()) {
            const auto kind = stack.modules[i].line.control.action("acct_expired").kind;
            if (kind == pam_stack::ActionKind::bad || kind == pam_stack::ActionKind::die) return stack.modules[i];
        }
    }
    return std::nullopt;
}

Finding fail(const Module& module, const std::string& seen, Type type)
{
    const pam_stack::Line& top = module.included_by.empty() ? module.line : module.included_by.front();
    return found_fail(where(module.line) + seen, "move our " + std::string(type_name(type)) + " line above " + where(top) +
                                                     " (where slurm-adopt wrote it: slurm-adopt enable)");
}

Finding passed_over(const Module& module, const std::string& seen, Type type)
{
    if (!module.included_by.empty()) return fail(module, seen + ", so that they get in without a job", type);
    return found_warn(where(module.line) + seen + ", so that they pass over our line",
                      "leave it so if that is meant; else put our line above it");
}

}  // namespace

std::string where(const pam_stack::Line& line)
{
    return line.place.text() + ": '" + line.text() + '\'';
}

Finding reached(const OurStack& ours, Type type)
{
    const Stack& stack = ours.stack.value();
    const std::size_t index = ours.lines.front().index;
    if (const auto deny = denies_everybody(stack, index))
        return found_fail(where(deny->line) + " refuses everybody, root too", "remove that line, or put what it is meant for above it");
    if (const auto end = first_above(stack, index, pam_stack::ends_the_phase))
        return passed_over(*end, " ends the " + std::string(type_name(type)) + " phase for whom it knows", type);
    if (const auto jumps = jumps_over(stack, index); !jumps.empty())
        return passed_over(stack.modules[jumps.front()], " jumps over our line for some", type);
    // pam_open_session(3) has no such answer.
    if (type == Type::account)
        if (const auto end = first_above(stack, index, pam_stack::ends_where_the_password_has_expired))
            return fail(*end, " ends the account phase where the password has expired (new_authtok_reqd): who may choose a "
                              "new one at login gets in without a job", type);
    return found_ok("no line above keeps it from being run");
}

}  // namespace slurm_adopt::tool
