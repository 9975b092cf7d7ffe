// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/core.h>
#include <grp.h>

#include <algorithm>

#include "check/checks.h"
#include "slurm_adopt/environment_import.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/messages.h"
#include "slurm_adopt/name_list.h"
#include "slurm_adopt/users.h"

namespace slurm_adopt::tool {
namespace {

std::vector<OurLine> all_lines(const Node& node)
{
    std::vector<OurLine> lines = node.account.lines;
    lines.insert(lines.end(), node.session.lines.begin(), node.session.lines.end());
    return lines;
}

std::string at(const OurLine& ours)
{
    return ours.line.place.text() + ": ";
}

std::vector<std::string> sorted(std::vector<std::string> words)
{
    std::sort(words.begin(), words.end());
    return words;
}

// What is wrong with a list, as the module sees it; none: nothing.
std::optional<std::string> trouble_with(const std::string& file, std::size_t most)
{
    const auto text = read_site_file(file, longest_name_list);
    if (!text) return text.error().context;
    const auto names = parse_name_list(text.value());
    if (!names) return file + ": " + names.error().context;
    if (names.value().size() > most) return file + ": more than " + std::to_string(most) + " groups";
    return std::nullopt;
}

Found check_patterns(const OurLine& ours)
{
    for (const std::string& pattern : ours.options.options.import_env)
        if (is_denied_pattern(pattern))
            return found_warn(at(ours) + "import_env: no session gets '" + pattern + "', whatever the job has",
                              "remove it from import_env= in " + ours.line.place.text() + "; see pam_slurm_adopt(8)");
    return std::nullopt;
}

Found check_site_text(const OurLine& ours)
{
    const std::string& file = ours.options.options.deny_message_file;
    const auto text = file.empty() ? Result<std::string>(std::string()) : read_site_file(file, longest_site_text);
    if (text) return std::nullopt;
    return found_warn(at(ours) + "deny_message_file: " + text.error().context + ": nobody is told its text",
                      "make " + file + " a file of root's of at most 4 KiB that nobody else may write to (chown root, chmod 0644)");
}

// Options that do nothing beside the others.
Found check_idle(const OurLine& ours)
{
    const Options& options = ours.options.options;
    const bool has_list = !(options.exempt_users.empty() && options.exempt_user_files.empty() && options.exempt_groups.empty() &&
                            options.exempt_group_files.empty());
    if (options.exempt_adopt && !has_list)
        return found_warn(at(ours) + "exempt_adopt=1, but nobody is exempt",
                          "name them with exempt_users= or exempt_groups=, or remove exempt_adopt=1, in " + ours.line.place.text());
    const bool has_newest = std::find(options.choose.begin(), options.choose.end(), Chooser::newest) != options.choose.end();
    if (has_newest && options.action_unknown != Action::newest)
        return found_warn(at(ours) + "choose= ends with newest, so that action_unknown= never applies",
                          "remove newest from choose=, or remove action_unknown=, in " + ours.line.place.text());
    return std::nullopt;
}

}  // namespace

Found check_options(const Node& node)
{
    const auto lines = all_lines(node);
    if (lines.empty()) return std::nullopt;
    for (const OurLine& ours : lines)
        if (!ours.options.errors.empty())
            return found_fail(at(ours) + "everybody but root is refused: " + ours.options.errors.front(),
                              "correct or remove that option in " + ours.line.place.text());
    for (const OurLine& ours : lines)
        for (const auto check : {check_patterns, check_site_text, check_idle})
            if (auto found = check(ours)) return found;
    return found_ok("all options are valid");
}

Found check_strict(const Node& node)
{
    const auto lines = all_lines(node);
    if (lines.empty()) return std::nullopt;
    for (const OurLine& ours : lines) {
        const Options& options = ours.options.options;
        const bool open = options.action_adopt_failure != Action::deny || options.action_generic_failure != Action::deny;
        if (ours.options.errors.empty() && !options.strict && open)
            return found_warn(at(ours) + "without 'strict', a user whose adoption fails gets in, not confined",
                              "add strict to " + ours.line.place.text());
    }
    return found_ok("failures refuse");
}

Found check_service(const Node& node)
{
    const auto lines = all_lines(node);
    if (lines.empty()) return std::nullopt;
    for (const OurLine& ours : lines) {
        const auto& services = ours.options.options.service;
        const bool named = std::any_of(services.begin(), services.end(),
                                       [&](const std::string& name) { return name == "*" || name == node.service; });
        if (!named)
            return found_fail(at(ours) + "the module passes over service '" + node.service + "', so that everybody gets in",
                              "add service=" + node.service + " to " + ours.line.place.text());
    }
    return found_ok("the module acts for '" + node.service + "'");
}

Found check_same_options(const Node& node)
{
    if (node.account.lines.empty() || node.session.lines.empty()) return std::nullopt;
    const auto& account = node.account.lines.front().line;
    const auto& session = node.session.lines.front().line;
    // runtime_dir is for the session line only.
    auto session_words = session.arguments;
    std::erase_if(session_words, [](const std::string& word) { return word.starts_with("runtime_dir="); });
    auto account_words = account.arguments;
    std::erase_if(account_words, [](const std::string& word) { return word.starts_with("runtime_dir="); });
    if (sorted(session_words) == sorted(account_words)) return found_ok("both lines have the same options");
    return found_warn(account.place.text() + " and " + session.place.text() +
                          " have different options: whom only one of them exempts, the other adopts or refuses",
                      "give both lines the same options");
}

Found check_lists(const Node& node)
{
    std::size_t files = 0;
    for (const OurLine& ours : all_lines(node)) {
        const Options& options = ours.options.options;
        const auto check = [&](const std::vector<std::string>& lists, std::size_t most) -> Found {
            for (const std::string& file : lists) {
                ++files;
                if (const auto trouble = trouble_with(file, most))
                    return found_fail(at(ours) + *trouble + ": nobody is exempt by it",
                                      "make " + file + " a file of root's that nobody else may write to (chown root, chmod 0644), with one name a line");
            }
            return std::nullopt;
        };
        if (auto found = check(options.exempt_user_files, longest_name_list)) return found;
        if (auto found = check(options.exempt_group_files, most_groups_of_list)) return found;
    }
    for (const OurLine& ours : all_lines(node)) {
        const Options& options = ours.options.options;
        const auto warn = [&](const std::string& what, const std::string& name) {
            return found_warn(fmt::format("{}no {} '{}' is known here: nobody is exempt by that name", at(ours), what, name),
                              fmt::format("correct it in {}, or see why getent {} does not know it", ours.line.place.text(), what));
        };
        // Only those on the line itself: who is in a file may come and go.
        for (const std::string& name : options.exempt_users)
            if (const auto user = find_user(name); user.ok() && !user.value()) return warn("passwd", name);
        for (const std::string& name : options.exempt_groups)
            if (::getgrnam(name.c_str()) == nullptr) return warn("group", name);
        files += options.exempt_users.size() + options.exempt_groups.size();
    }
    if (files == 0) return std::nullopt;
    return found_ok("those who are exempt are known here");
}

Found check_dash(const Node& node)
{
    const auto lines = all_lines(node);
    if (lines.empty()) return std::nullopt;
    for (const OurLine& ours : lines)
        if (ours.line.silent)
            return found_warn(
                at(ours) +
                    "a leading '-': should the module file be missing, everybody is refused, and the log does not say why",
                "remove the '-' in " + ours.line.place.text());
    return found_ok("no leading '-'");
}

Found check_once(const Node& node)
{
    if (node.account.lines.empty()) return std::nullopt;
    if (node.account.lines.size() == 1) return found_ok("one account line");
    return found_warn(at(node.account.lines[1]) + "a second account line, after " + node.account.lines[0].line.place.text() +
                          ": every login is decided twice",
                      "keep one of " + node.account.lines[0].line.place.text() + " and " +
                          node.account.lines[1].line.place.text());
}

}  // namespace slurm_adopt::tool
