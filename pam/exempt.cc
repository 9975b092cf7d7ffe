// SPDX-License-Identifier: GPL-2.0-or-later
// Whom the module leaves alone, by name, by group and by lists in files. Nothing is looked up but for an option that is there.
#include <algorithm>

#include "login_phase.h"
#include "slurm_adopt/name_list.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {

std::optional<Decision> LoginPhase::find_exemption(const Result<std::optional<User>>& user)
{
    Subject subject{.service = record_.service, .user = record_.user};
    auto decision = pass_over(options_, subject);
    if (!decision) {
        subject.is_listed = is_listed();
        decision = pass_over(options_, subject);
    }
    if (!decision && user.ok() && user.value()) {
        subject.in_exempt_group = exempt_by_group(*user.value());
        decision = pass_over(options_, subject);
    }
    if (!decision || !options_.exempt_adopt || decision->reason == Reason::service) return decision;
    if (!user.ok() || !user.value()) return decision;  // whose jobs to look for is not known
    exempt_ = decision;
    return std::nullopt;
}

bool LoginPhase::is_listed()
{
    return std::any_of(options_.exempt_user_files.begin(), options_.exempt_user_files.end(), [this](const std::string& file) {
        const auto names = read_list("exempt_users", file);
        return std::find(names.begin(), names.end(), record_.user) != names.end();
    });
}

bool LoginPhase::exempt_by_group(const User& user)
{
    std::vector<std::string> groups = options_.exempt_groups;
    for (const std::string& file : options_.exempt_group_files) {
        auto names = read_list("exempt_groups", file);
        if (names.size() > most_groups_of_list) {
            log(LogLevel::error, Priority::error,
                "exempt_groups: " + printable(file) + ": more than " + std::to_string(most_groups_of_list) +
                    " groups: nobody is exempt by it");
            continue;
        }
        groups.insert(groups.end(), names.begin(), names.end());
    }
    const auto member = in_any_group(record_.user, user.gid, groups);
    if (member) return member.value();
    // Not known to be exempt is not exempt.
    log(LogLevel::error, Priority::error, "exempt_groups: " + member.error().context);
    return false;
}

std::vector<std::string> LoginPhase::read_list(const char* option, const std::string& file)
{
    const auto text = node_.read_site_file(file, longest_name_list);
    auto names = text ? parse_name_list(text.value()) : Result<std::vector<std::string>>(text.error());
    if (names) return std::move(names).value();
    const std::string why = text ? file + ": " + names.error().context : names.error().context;
    log(LogLevel::error, Priority::error, std::string(option) + ": " + printable(why) + ": nobody is exempt by it");
    return {};
}

}  // namespace slurm_adopt
