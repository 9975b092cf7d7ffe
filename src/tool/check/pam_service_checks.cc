// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "check/checks.h"

namespace slurm_adopt::tool {
namespace {

// The names of all services but this one; hidden files are none.
std::set<std::string> other_services(const Node& node)
{
    std::set<std::string> names;
    for (const std::string& directory : node.roots.pam.paths) {
        std::error_code ignored;
        for (const auto& file : std::filesystem::directory_iterator(directory, ignored)) {
            const std::string name = file.path().filename();
            if (name.front() != '.' && name != node.service) names.insert(name);
        }
    }
    return names;
}

bool acts_for(const OurLine& ours, const std::string& service)
{
    const auto& services = ours.options.options.service;
    return std::any_of(services.begin(), services.end(),
                       [&](const std::string& name) { return name == "*" || name == service; });
}

}  // namespace

Found check_other_services(const Node& node)
{
    std::string loading;
    for (const std::string& service : other_services(node)) {
        const Node other = look_at(node.roots, service);
        if (other.account.lines.empty()) continue;
        const OurLine& ours = other.account.lines.front();
        const std::string seen = "service '" + service + "', " + ours.line.place.text() + ": ";
        if (!ours.options.errors.empty())
            return found_fail(seen + "everybody but root is refused: " + ours.options.errors.front(),
                              "correct or remove that option in " + ours.line.place.text());
        if (acts_for(ours, service) && other.session.stack.ok() && other.session.lines.empty() &&
            !other.session.stack.value().modules.empty())
            return found_warn(seen + "an account line without a session line",
                              "slurm-adopt check --service " + service + " says what to do");
        loading += (loading.empty() ? "" : ", ") + service;
    }
    return found_ok(loading.empty() ? "no other service loads the module" : "loaded by " + loading + " too");
}

}  // namespace slurm_adopt::tool
