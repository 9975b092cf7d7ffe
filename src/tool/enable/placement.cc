// SPDX-License-Identifier: GPL-2.0-or-later
#include "enable/placement.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "pam_stack/flow.h"

namespace slurm_adopt::tool {
namespace {

using pam_stack::ends_the_phase;
using pam_stack::ends_where_the_password_has_expired;
using pam_stack::Line;
using pam_stack::Module;
using pam_stack::Stack;

constexpr std::string_view by_hand = "; put the two lines in yourself: see EXAMPLES in pam_slurm_adopt(8)";

Error refused(const Line& line, const std::string& why)
{
    return Error{ErrorCode::malformed, 0, line.place.text() + ": '" + line.text() + "' " + why + std::string(by_hand)};
}

bool ends_for_some(const Module& module)
{
    return ends_the_phase(module) || ends_where_the_password_has_expired(module);
}

bool moves_the_session(const Module& module)
{
    const std::string_view name = module_name(module.line);
    return name == "pam_systemd.so" || name == "pam_elogind.so";
}

// Refused where a line jumps over what would stand after the item `after` (none: before all).
Result<Done> check_jumps(const Stack& stack, std::optional<std::size_t> after)
{
    const auto is_below = [after](const Module& module) { return !after || module.top > *after; };
    const auto below = std::find_if(stack.modules.begin(), stack.modules.end(), is_below);
    const auto index = static_cast<std::size_t>(below - stack.modules.begin());
    const auto jumps = jumps_over(stack, index);
    if (!jumps.empty()) return refused(stack.modules[jumps.front()].line, "jumps over the place of slurm-adopt's line");
    return Done{};
}

// The line of the file after which the item `after` ends; without one, the line before the first item.
unsigned line_number(const Stack& stack, std::optional<std::size_t> after, std::size_t first)
{
    return after ? stack.own[*after].last_line : stack.own[first].place.line - 1;
}

}  // namespace

Result<unsigned> place_account_line(const Stack& account)
{
    if (account.modules.empty())
        return Error{ErrorCode::malformed, 0,
                     account.files.front() + ": has no account line, so that root would be refused" + std::string(by_hand)};
    std::optional<std::size_t> after = account.modules.back().top;
    const auto known = std::find_if(account.modules.begin(), account.modules.end(), ends_the_phase);
    if (known != account.modules.end() && known->included_by.empty())
        return refused(known->line,
                       "lets users in without asking the lines below it: only you know whether these are to be adopted");
    const auto end = std::find_if(account.modules.begin(), account.modules.end(), ends_for_some);
    if (end != account.modules.end()) {
        const auto above = std::find_if(std::make_reverse_iterator(end), account.modules.rend(),
                                        [&](const Module& module) { return module.top < end->top; });
        after = above == account.modules.rend() ? std::nullopt : std::optional(above->top);
    }
    if (auto free = check_jumps(account, after); !free.ok()) return free.error();
    return line_number(account, after, account.modules.front().top);
}

Result<unsigned> place_session_line(const Stack& session)
{
    if (session.modules.empty())
        return Error{ErrorCode::malformed, 0,
                     session.files.front() + ": has no session line: a service that opens no session" +
                         std::string(by_hand)};
    auto last = std::find_if(session.modules.rbegin(), session.modules.rend(), moves_the_session);
    if (last == session.modules.rend())
        last = std::find_if(session.modules.rbegin(), session.modules.rend(),
                            [](const Module& module) { return !module.included_by.empty(); });
    const std::size_t after = last == session.modules.rend() ? session.modules.back().top : last->top;
    const auto end = std::find_if(session.modules.begin(), session.modules.end(),
                                  [&](const Module& module) { return module.top <= after && ends_the_phase(module); });
    if (end != session.modules.end())
        return refused(end->line, "ends the session phase above the place of slurm-adopt's line");
    if (auto free = check_jumps(session, after); !free.ok()) return free.error();
    return line_number(session, after, after);
}

}  // namespace slurm_adopt::tool
