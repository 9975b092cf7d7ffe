// SPDX-License-Identifier: GPL-2.0-or-later
#include "account_lines.h"

#include <cerrno>
#include <filesystem>

#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {

Result<FoundStack> find_account_lines(const pam_stack::Directories& directories, const std::string& service)
{
    auto file = pam_stack::find_service_file(directories, lower_case(service));
    const bool is_other = !file && file.error().errno_value == ENOENT;
    if (is_other) file = pam_stack::find_service_file(directories, "other");
    if (!file) return std::move(file).error();
    auto found = find_account_lines_in(directories, file.value());
    if (found) found.value().is_other = is_other;
    return found;
}

Result<FoundStack> find_account_lines_in(const pam_stack::Directories& directories, const std::string& file)
{
    const std::string path = std::filesystem::absolute(file).string();
    const auto stack = pam_stack::read_stack(directories, path, pam_stack::Type::account);
    if (!stack) return stack.error();
    FoundStack found{path, false, {}};
    for (pam_stack::Module& module : pam_stack::find_modules(stack.value(), "pam_slurm_adopt.so"))
        found.lines.push_back(std::move(module.line));
    return found;
}

}  // namespace slurm_adopt::tool
