// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam_stack/flow.h"

#include <algorithm>
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
    positions.reserve(stack.modules.size());
    for (const Module& module : stack.modules) positions.push_back(module.position);
    return positions;
}

std::vector<std::size_t> jumps_over(const Stack& stack, std::size_t index)
{
    const auto positions = jump_positions(stack);
    std::vector<std::size_t> found;
    if (index == 0) return found;
    // Behind an empty substack, if there is one.
    const std::size_t below = index < positions.size() ? positions[index] : 0;
    const std::size_t place = std::max(positions[index - 1] + 1, below);
    for (std::size_t i = 0; i < index; ++i) {
        const Module& module = stack.modules[i];
        if (module.substack == 0 && positions[i] + module.line.control.longest_jump() + 1 > place) found.push_back(i);
    }
    return found;
}

}  // namespace slurm_adopt::pam_stack
