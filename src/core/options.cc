// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/options.h"

#include <algorithm>
#include <array>
#include <optional>

#include "slurm_adopt/name_list.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr std::string_view level_words[] = {"quiet", "fatal", "error", "info", "verbose", "debug",
                                            "debug2", "debug3", "debug4", "debug5"};
constexpr std::string_view digits = "0123456789";
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool made_of(std::string_view text, std::initializer_list<std::string_view> alphabets)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return std::any_of(alphabets.begin(), alphabets.end(),
                           [c](std::string_view alphabet) { return alphabet.find(c) != std::string_view::npos; });
    });
}

std::optional<bool> parse_switch(std::string_view text)
{
    if (text == "1" || text == "true") return true;
    if (text == "0" || text == "false") return false;
    return std::nullopt;
}

std::optional<Action> parse_action(std::string_view text)
{
    if (text == "deny") return Action::deny;
    if (text == "ignore") return Action::ignore;
    if (text == "allow") return Action::allow;
    if (text == "newest") return Action::newest;
    return std::nullopt;
}

std::optional<LogLevel> parse_level(std::string_view text)
{
    for (std::size_t i = 0; i < std::size(level_words); ++i)
        if (text == level_words[i] || text == digits.substr(i, 1)) return static_cast<LogLevel>(i);
    return std::nullopt;
}

bool is_safe_path(std::string_view path)
{
    if (path.size() < 2 || path.front() != '/') return false;
    const auto parts = split(path.substr(1), '/');
    return std::none_of(parts.begin(), parts.end(), [](std::string_view part) { return part == "." || part == ".."; });
}

bool is_service(std::string_view text)
{
    return made_of(text, {letters, digits, "_-.@+"});
}

bool is_name_or_file(std::string_view text)
{
    if (!text.starts_with('@')) return is_user_or_group(text);
    return is_safe_path(text.substr(1)) && is_printable(text);
}

bool is_host(std::string_view text)
{
    if (text.starts_with('[') && text.ends_with(']'))  // RFC 3986, 3.2.2: an IPv6 address
        return made_of(text.substr(1, text.size() - 2), {digits, "abcdefABCDEF", ":."});
    return made_of(text, {letters, digits, ".-_"});
}

// Without user name and password, path, query and fragment: what would be told by them has options of its own.
bool is_url(std::string_view text)
{
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!text.starts_with(scheme)) continue;
        const std::string_view authority = text.substr(scheme.size());
        const std::size_t colon = authority.rfind(':');
        if (colon == std::string_view::npos || authority.ends_with(']')) return is_host(authority);
        const auto port = parse_number<std::uint16_t>(authority.substr(colon + 1));
        return port && *port != 0 && is_host(authority.substr(0, colon));
    }
    constexpr std::string_view socket = "unix:";
    return text.starts_with(socket) && is_safe_path(text.substr(socket.size())) &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c != 0x7f; });
}

bool is_environment_pattern(std::string_view text)
{
    if (text.size() > 1 && text.back() == '*') text.remove_suffix(1);
    return made_of(text, {letters, digits, "_"}) && digits.find(text.front()) == std::string_view::npos;
}

template <class Valid>
bool all_parts(std::string_view list, Valid valid)
{
    const auto parts = split(list, ',');
    return std::all_of(parts.begin(), parts.end(), valid);
}

std::optional<Chooser> parse_chooser(std::string_view text)
{
    if (text == "callerid") return Chooser::callerid;
    if (text == "file") return Chooser::file;
    if (text == "newest") return Chooser::newest;
    return std::nullopt;
}

// Empty: the value is none.
std::vector<Chooser> parse_order(std::string_view value)
{
    std::vector<Chooser> order;
    for (const std::string_view word : split(value, ',')) {
        const auto chooser = parse_chooser(word);
        // There is always a newest one: nothing would be asked after it.
        const bool is_over = !order.empty() && order.back() == Chooser::newest;
        if (!chooser || is_over || std::find(order.begin(), order.end(), *chooser) != order.end()) return {};
        order.push_back(*chooser);
    }
    return order;
}

bool is_valid(const OptionSpec& spec, std::string_view value)
{
    if (spec.longest != 0 && value.size() > spec.longest) return false;
    switch (spec.type) {
    case OptionType::choice: {
        const auto words = split(spec.allowed, '|');
        return std::find(words.begin(), words.end(), value) != words.end();
    }
    case OptionType::boolean:
    case OptionType::flag:
        return parse_switch(value).has_value();
    case OptionType::number: {
        const auto number = parse_number<unsigned>(value);
        return number && *number >= spec.least && *number <= spec.most;
    }
    case OptionType::level:
        return parse_level(value).has_value();
    case OptionType::path:
        return is_safe_path(value);
    case OptionType::name:
        return made_of(value, {letters, digits, "._-"});
    case OptionType::user:
        return is_user_or_group(value);
    case OptionType::url:
        return is_url(value);
    case OptionType::names:
        return all_parts(value, is_name_or_file);
    case OptionType::services:
        return value == "*" || all_parts(value, is_service);
    case OptionType::patterns:
        return all_parts(value, is_environment_pattern);
    case OptionType::order:
        return !parse_order(value).empty();
    }
    return false;
}

std::vector<std::string> list_of(std::string_view value)
{
    const auto parts = split(value, ',');
    return {parts.begin(), parts.end()};
}

// The names of a list, or the files in it.
std::vector<std::string> names_of(std::string_view value, bool files)
{
    std::vector<std::string> found;
    for (const std::string_view part : split(value, ','))
        if (part.starts_with('@') == files) found.emplace_back(part.substr(files ? 1 : 0));
    return found;
}

std::chrono::seconds seconds_of(std::string_view value)
{
    return std::chrono::seconds{parse_number<unsigned>(value).value_or(0)};
}

// Writes a value that is_valid() has accepted.
void store(Options& options, OptionId id, std::string_view value)
{
    const bool on = parse_switch(value).value_or(false);
    const Action action = parse_action(value).value_or(Action::deny);
    switch (id) {
    case OptionId::action_no_jobs: options.action_no_jobs = action; return;
    case OptionId::action_unknown: options.action_unknown = action; return;
    case OptionId::action_adopt_failure: options.action_adopt_failure = action; return;
    case OptionId::action_generic_failure: options.action_generic_failure = action; return;
    case OptionId::disable_x11: options.disable_x11 = on; return;
    case OptionId::join_container: options.join_container = on; return;
    case OptionId::log_level: options.log_level = parse_level(value).value_or(LogLevel::info); return;
    case OptionId::nodename: options.nodename = value; return;
    case OptionId::service: options.service = list_of(value); return;
    case OptionId::single_job_skip_rpc: options.single_job_skip_rpc = on; return;
    case OptionId::ignore_root: options.ignore_root = on; return;
    case OptionId::strict: options.strict = on; return;
    case OptionId::timeout: options.timeout = seconds_of(value); return;
    case OptionId::callerid_timeout: options.callerid_timeout = seconds_of(value); return;
    case OptionId::spool_dir: options.spool_dir = value; return;
    case OptionId::slurm_conf: options.slurm_conf = value; return;
    case OptionId::helper: options.helper = value; return;
    case OptionId::exempt_users:
        options.exempt_users = names_of(value, false);
        options.exempt_user_files = names_of(value, true);
        return;
    case OptionId::exempt_groups:
        options.exempt_groups = names_of(value, false);
        options.exempt_group_files = names_of(value, true);
        return;
    case OptionId::exempt_adopt: options.exempt_adopt = on; return;
    case OptionId::wait_for_job: options.wait_for_job = seconds_of(value); return;
    case OptionId::controller:
        options.controller = value == "rpc" ? Controller::rpc : value == "rest" ? Controller::rest : Controller::none;
        return;
    case OptionId::controller_timeout: options.controller_timeout = seconds_of(value); return;
    case OptionId::rest_url: options.rest_url = value; return;
    case OptionId::rest_user: options.rest_user = value; return;
    case OptionId::rest_token_file: options.rest_token_file = value; return;
    case OptionId::rest_key_file: options.rest_key_file = value; return;
    case OptionId::rest_ca_file: options.rest_ca_file = value; return;
    case OptionId::import_env: options.import_env = list_of(value); return;
    case OptionId::runtime_dir: options.runtime_dir = on; return;
    case OptionId::job_choice: options.job_choice = value == "file" ? JobChoice::file : JobChoice::none; return;
    case OptionId::choose: options.choose = parse_order(value); return;
    case OptionId::sticky: options.sticky = on; return;
    case OptionId::deny_message_file: options.deny_message_file = value; return;
    case OptionId::quiet: options.quiet = on; return;
    }
}

const OptionSpec* find_spec(std::string_view name)
{
    const auto table = option_table();
    const auto found = std::find_if(table.begin(), table.end(), [name](const OptionSpec& spec) { return spec.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::string known_names()
{
    std::string names;
    for (const OptionSpec& spec : option_table()) {
        if (!names.empty()) names += ' ';
        names += spec.name;
    }
    return names;
}

std::string sentence(std::initializer_list<std::string_view> parts)
{
    std::string text;
    for (std::string_view part : parts) text += part;
    return text;
}

// What is wrong with options each of which is allowed, and how to put it right; empty: nothing.
std::string_view contradiction_of_choice(const Options& options)
{
    const bool lists_file = std::find(options.choose.begin(), options.choose.end(), Chooser::file) != options.choose.end();
    if (lists_file && options.job_choice != JobChoice::file) return "choose= names file, which is for job_choice=file only: write job_choice=file, or take file out";
    if (!options.choose.empty() && !lists_file && options.job_choice == JobChoice::file)
        return "job_choice=file, but choose= does not name file: add file to choose=, or take job_choice=file out";
    return "";
}

std::string_view contradiction_of_rest(const Options& options)
{
    const bool has_token = !options.rest_token_file.empty();
    const bool has_key = !options.rest_key_file.empty();
    if (options.controller != Controller::rest) {
        const bool has_rest = !options.rest_url.empty() || !options.rest_user.empty() || has_token || has_key || !options.rest_ca_file.empty();
        return has_rest ? "the options rest_* are for controller=rest only: write controller=rest, or take them out" : "";
    }
    if (options.rest_url.empty()) return "controller=rest needs rest_url=URL, slurmrestd's address";
    if (has_token && has_key) return "rest_token_file and rest_key_file are both given: keep one of them";
    if (!has_token && !has_key) return "controller=rest needs one of rest_token_file=FILE and rest_key_file=FILE";
    return "";
}

std::string_view contradiction(const Options& options)
{
    const std::string_view wrong = contradiction_of_rest(options);
    return wrong.empty() ? contradiction_of_choice(options) : wrong;
}

}  // namespace

ParsedOptions parse_options(std::span<const std::string_view> arguments)
{
    ParsedOptions parsed;
    std::vector<OptionId> seen;
    for (std::string_view argument : arguments) {
        const std::size_t equals = argument.find('=');
        const std::string_view name = argument.substr(0, equals);
        const OptionSpec* spec = find_spec(name);
        if (spec == nullptr) {
            parsed.errors.push_back(sentence({"unknown option '", printable(argument), "'; known are: ", known_names()}));
            continue;
        }
        if (std::find(seen.begin(), seen.end(), spec->id) != seen.end()) {
            parsed.errors.push_back(sentence({"option '", spec->name, "' is given twice: '", printable(argument),
                                              "'; keep one of them (allowed: ", spec->allowed, ")"}));
            continue;
        }
        seen.push_back(spec->id);
        const bool bare = equals == std::string_view::npos;
        const std::string_view value = bare ? "1" : argument.substr(equals + 1);
        if ((bare && spec->type != OptionType::flag) || !is_valid(*spec, value)) {
            parsed.errors.push_back(sentence({"option '", printable(argument), "' has no valid value for '", spec->name,
                                              "'; allowed: ", spec->allowed}));
            continue;
        }
        store(parsed.options, spec->id, value);
    }
    // An option that could not be read is missing: what is wrong then is that one only.
    if (const auto wrong = contradiction(parsed.options); parsed.errors.empty() && !wrong.empty()) parsed.errors.emplace_back(wrong);
    return parsed;
}

}  // namespace slurm_adopt
