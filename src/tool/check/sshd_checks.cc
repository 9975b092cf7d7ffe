// SPDX-License-Identifier: GPL-2.0-or-later
// What sshd says of its own configuration (sshd -T, sshd(8)), all files and defaults taken in; and for each Match block that
// sets what counts here, what it says of a connection that the block is for (-C).
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>

#include "check/checks.h"
#include "check/match_blocks.h"
#include "check/run_command.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

using namespace std::chrono_literals;

using Settings = std::map<std::string, std::string>;  // keywords in lower case

// OpenSSH 9.2 prints keywords in lower case, 10.6 as sshd_config(5) has them.
Settings settings_of(std::string_view output)
{
    Settings settings;
    for (const std::string_view line : split(output, '\n'))
        if (const std::size_t space = line.find(' '); space != std::string_view::npos)
            settings.emplace(lower_case(line.substr(0, space)), line.substr(space + 1));
    return settings;
}

std::string value_of(const Settings& settings, const std::string& keyword, const std::string& usual)
{
    const auto found = settings.find(keyword);
    return found == settings.end() ? usual : found->second;
}

Result<Settings> configuration(const Node& node, const std::string& connection = "")
{
    std::vector<std::string> command = node.roots.sshd;
    if (!connection.empty()) command.insert(command.end(), {"-C", connection});
    const auto output = run_command(command, Deadline::after(10s));
    if (!output.ok()) return output.error();
    if (output.value().status != 0) {
        const std::string_view said = split(output.value().text, '\n').front();
        return Error{ErrorCode::refused, 0,
                     node.roots.sshd.front() + " -T: " + std::string(said.substr(0, said.find('\r')))};
    }
    return settings_of(output.value().text);
}

// The methods of AuthenticationMethods that are switched off, and by which keyword.
std::string switched_off(const Settings& settings, std::string_view method)
{
    method = method.substr(0, method.find(':'));  // "keyboard-interactive:pam"
    const std::map<std::string_view, std::vector<std::string>> by{
        {"keyboard-interactive", {"kbdinteractiveauthentication", "challengeresponseauthentication"}},
        {"password", {"passwordauthentication"}},
        {"publickey", {"pubkeyauthentication"}}};
    const auto keywords = by.find(method);
    if (keywords == by.end()) return {};
    for (const std::string& keyword : keywords->second)
        if (value_of(settings, keyword, "yes") == "no") return keyword + " no";
    return {};
}

// Why nobody can log in with these methods; empty where somebody can.
std::string impossible(const Settings& settings, const std::string& methods)
{
    std::string why;
    for (const std::string_view list : split(methods, ' ')) {
        std::string off;
        for (const std::string_view method : split(list, ','))
            if (off.empty()) off = switched_off(settings, method);
        if (off.empty()) return {};
        why = off;
    }
    return why;
}

// `where` and `in` name what is looked at: all of sshd_config, or a block of it.
Finding judge(const Node& node, const Settings& settings, const std::string& where, const std::string& in)
{
    // From OpenSSH 9.8 on.
    const std::string service = value_of(settings, "pamservicename", node.service);
    if (service != node.service)
        return found_fail(where + "PAMServiceName " + service + ": sshd asks another stack than '" + node.service + "'",
                          "remove PAMServiceName from " + in + " and reload sshd, or enable and check --service " + service);
    const std::string methods = value_of(settings, "authenticationmethods", "any");
    if (methods == "none")
        return found_fail(where + "AuthenticationMethods none: users log in without proof of who they are",
                          "remove AuthenticationMethods from " + in + ", and reload sshd");
    if (const std::string off = methods == "any" ? "" : impossible(settings, methods); !off.empty())
        return found_warn(where + "AuthenticationMethods " + methods + ", but " + off + ": nobody can log in",
                          "switch that method on in " + in + " (yes), or take it out of AuthenticationMethods, and reload sshd");
    return found_ok(where + "AuthenticationMethods " + methods);
}

bool counts(const MatchBlock& block)
{
    const auto& set = block.settings;
    return std::any_of(set.begin(), set.end(), [](const auto& setting) {
        return setting.first == "authenticationmethods" || setting.first == "pamservicename" ||
               setting.first.ends_with("authentication");
    });
}

// Of a connection that the block is for; where the text does not tell one, what the block changes.
Settings settings_in(const Node& node, const Settings& base, const MatchBlock& block)
{
    if (const std::string connection = connection_that_fits(block.criteria); !connection.empty())
        if (auto settings = configuration(node, connection); settings.ok()) return std::move(settings).value();
    Settings changed = block.settings;
    changed.insert(base.begin(), base.end());
    return changed;
}

}  // namespace

Found check_sshd_use_pam(const Node& node)
{
    if (node.service != "sshd") return std::nullopt;
    const auto settings = configuration(node);
    if (!settings.ok()) return found_warn(settings.error().context, "make 'sshd -T' work, as root: it says what is wrong");
    const std::string value = value_of(settings.value(), "usepam", "no");
    if (value == "yes") return found_ok("UsePAM yes");
    return found_fail("UsePAM " + value + ": sshd asks no PAM module, so that everybody gets in",
                      "write 'UsePAM yes' at the top of sshd_config, above any Include and Match (the first value counts), and reload sshd");
}

Found check_sshd_methods(const Node& node)
{
    if (node.service != "sshd") return std::nullopt;
    const auto settings = configuration(node);
    if (!settings.ok()) return std::nullopt;  // check_sshd_use_pam says it
    return judge(node, settings.value(), "", "sshd_config");
}

Found check_sshd_grace(const Node& node)
{
    const Options& options = node.options();
    if (node.service != "sshd" || options.wait_for_job.count() == 0) return std::nullopt;
    const auto settings = configuration(node);
    if (!settings.ok()) return std::nullopt;
    const auto found = settings.value().find("logingracetime");
    const std::string_view grace = found == settings.value().end() ? "120" : std::string_view(found->second);
    const auto longest = static_cast<std::uint64_t>((options.timeout + options.wait_for_job).count());
    const std::string seen = "LoginGraceTime " + std::string(grace);
    const std::uint64_t seconds = parse_number<std::uint64_t>(grace).value_or(0);
    if (seconds == 0 || seconds > longest) return found_ok(seen);
    const std::string longest_text = std::to_string(longest);
    return found_warn(seen + " s: sshd cuts off a login that waits, which timeout= and wait_for_job= let take " + longest_text +
                          " s, without a word",
                      "write a LoginGraceTime well above " + longest_text + " into sshd_config and reload sshd, or a smaller wait_for_job=");
}

Found check_sshd_match(const Node& node)
{
    if (node.service != "sshd") return std::nullopt;
    const auto base = configuration(node);
    if (!base.ok()) return std::nullopt;
    const auto blocks = read_match_blocks(node.roots.sshd_config);
    if (!blocks.ok()) return found_warn(blocks.error().context, "run this as root, and name sshd's file with --sshd-config");
    std::string seen;
    for (const MatchBlock& block : blocks.value()) {
        if (!counts(block)) continue;
        const std::string name = block.place + " (Match " + block.criteria + ')';
        Finding finding = judge(node, settings_in(node, base.value(), block), name + ": ", name);
        if (finding.status != Status::ok) return finding;
        seen += (seen.empty() ? "" : "; ") + finding.seen;
    }
    return found_ok(seen.empty() ? "no Match block sets how users prove who they are" : seen);
}

}  // namespace slurm_adopt::tool
