// SPDX-License-Identifier: GPL-2.0-or-later
// What sshd says of its own configuration (sshd -T, sshd(8)), all files and defaults taken in. What a Match block sets for
// some users is not in it.
#include <chrono>

#include "check/checks.h"
#include "check/run_command.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;

// The value of a keyword in the output; sshd writes keywords in lower case.
std::optional<std::string> value_of(std::string_view text, std::string_view keyword)
{
    for (const std::string_view line : split(text, '\n'))
        if (line.size() > keyword.size() && line.starts_with(keyword) && line[keyword.size()] == ' ')
            return std::string(line.substr(keyword.size() + 1));
    return std::nullopt;
}

Result<std::string> configuration(const Node& node)
{
    const auto output = run_command(node.roots.sshd, Deadline::after(10s));
    if (!output.ok()) return output.error();
    if (output.value().status != 0) {
        const std::string_view said = split(output.value().text, '\n').front();
        return Error{ErrorCode::refused, 0,
                     node.roots.sshd.front() + " -T: " + std::string(said.substr(0, said.find('\r')))};
    }
    return output.value().text;
}

}  // namespace

Found check_sshd_use_pam(const Node& node)
{
    if (node.service != "sshd") return std::nullopt;
    const auto text = configuration(node);
    if (!text.ok()) return found_warn(text.error().context, "make 'sshd -T' work, as root: it says what is wrong");
    const auto value = value_of(text.value(), "usepam");
    if (value == "yes") return found_ok("UsePAM yes");
    return found_fail("UsePAM " + value.value_or("no") + ": sshd asks no PAM module, so that everybody gets in",
                      "write 'UsePAM yes' into sshd_config, above any Match, and reload sshd");
}

Found check_sshd_methods(const Node& node)
{
    if (node.service != "sshd") return std::nullopt;
    const auto text = configuration(node);
    if (!text.ok()) return std::nullopt;  // check_sshd_use_pam says it
    const std::string methods = value_of(text.value(), "authenticationmethods").value_or("any");
    if (methods == "none")
        return found_fail("AuthenticationMethods none: users log in without proof of who they are",
                          "remove AuthenticationMethods from sshd_config, and reload sshd");
    return found_ok("AuthenticationMethods " + methods);
}

}  // namespace slurm_adopt::tool
