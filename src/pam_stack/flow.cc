// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack/flow.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace slurm_adopt::pam_stack {
namespace {

bool ends_with(const Module& module, std::string_view answer)
{
    return module.substack == 0 && module.line.control.action(answer).kind == ActionKind::done;
}

}  // namespace

bool ends_the_phase(const Module& module)
{
    return ends_with(module, "success");
}

bool ends_where_the_password_has_expired(const Module& module)
{
    return ends_with(module, "new_authtok_reqd");
}

std::vector<std::size_t> jump_positions(const Stack& stack)
{
    std::vector<std::size_t> positions;
    std::string last_substack;
    for (const Module& module : stack.modules) {
        const auto found = std::find_if(module.included_by.begin(), module.included_by.end(),
                                        [](const Line& line) { return line.kind == LineKind::substack; });
        const std::string substack = found == module.included_by.end() ? "" : found->place.text();
        const bool same = !substack.empty() && substack == last_substack;
        positions.push_back(positions.empty() ? 0 : positions.back() + (same ? 0 : 1));
        last_substack = substack;
    }
    return positions;
}

std::vector<std::size_t> jumps_over(const Stack& stack, std::size_t index)
{
    const auto positions = jump_positions(stack);
    std::vector<std::size_t> found;
    if (index == 0) return found;
    const std::size_t place = positions[index - 1] + 1;
    for (std::size_t i = 0; i < index; ++i) {
        const Module& module = stack.modules[i];
        if (module.substack == 0 && positions[i] + module.line.control.longest_jump() + 1 > place) found.push_back(i);
    }
    return found;
}

}  // namespace slurm_adopt::pam_stack
