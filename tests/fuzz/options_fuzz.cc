// SPDX-License-Identifier: GPL-2.0-or-later
// The PAM line: arguments separated by newlines.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "input.h"
#include "require.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using fuzz::require;

namespace {

// No user name and password, no query, no fragment, no blank; and it fits into a question.
bool is_url(const std::string& url)
{
    if (url.empty()) return true;
    const bool is_socket = url.starts_with("unix:/");
    const bool is_host = url.starts_with("http://") || url.starts_with("https://");
    return url.size() < 512 && is_printable(url) && url.find(' ') == std::string::npos &&
           (is_socket || (is_host && url.find_first_of("@?#/", url.find("//") + 2) == std::string::npos));
}

bool is_whole(const Options& options)
{
    const bool has_rest = !(options.rest_url + options.rest_user + options.rest_token_file + options.rest_key_file + options.rest_ca_file).empty();
    const bool lists_file = std::count(options.choose.begin(), options.choose.end(), Chooser::file) != 0;
    if (lists_file && options.job_choice != JobChoice::file) return false;
    if (!options.choose.empty() && !lists_file && options.job_choice == JobChoice::file) return false;
    if (options.controller != Controller::rest) return !has_rest;
    return !options.rest_url.empty() && options.rest_token_file.empty() != options.rest_key_file.empty();
}

bool is_inside_table(const Options& options)
{
    const auto is_path = [](const std::string& path) {
        return path.empty() || (path.front() == '/' && ("/" + path + "/").find("/../") == std::string::npos);
    };
    const auto between = [](std::chrono::seconds value, int least, int most) { return value.count() >= least && value.count() <= most; };
    return (options.action_no_jobs == Action::deny || options.action_no_jobs == Action::ignore) &&
           (options.action_unknown != Action::ignore) &&
           (options.action_adopt_failure == Action::allow || options.action_adopt_failure == Action::deny) &&
           options.action_generic_failure != Action::newest && between(options.timeout, 1, 120) &&
           between(options.callerid_timeout, 1, 60) && between(options.wait_for_job, 0, 60) && between(options.controller_timeout, 1, 60) &&
           is_path(options.spool_dir) && is_path(options.slurm_conf) && is_path(options.helper) && is_path(options.rest_token_file) &&
           is_path(options.rest_key_file) && is_path(options.rest_ca_file) && is_path(options.deny_message_file) && is_url(options.rest_url) && !options.service.empty();
}

bool same(const Options& a, const Options& b)
{
    const auto key = [](const Options& o) {
        return std::tie(o.action_no_jobs, o.action_unknown, o.action_adopt_failure, o.action_generic_failure, o.disable_x11,
                        o.join_container, o.log_level, o.nodename, o.service, o.single_job_skip_rpc, o.ignore_root, o.strict,
                        o.timeout, o.callerid_timeout, o.spool_dir, o.slurm_conf, o.helper, o.exempt_users, o.exempt_user_files,
                        o.exempt_groups, o.exempt_group_files, o.exempt_adopt,
                        o.wait_for_job, o.controller, o.controller_timeout, o.rest_url, o.rest_user, o.rest_token_file, o.rest_key_file,
                        o.rest_ca_file, o.import_env, o.runtime_dir, o.job_choice, o.choose, o.sticky, o.deny_message_file, o.quiet);
    };
    return key(a) == key(b);
}

bool is_known(std::string_view argument)
{
    const auto table = option_table();
    return std::any_of(table.begin(), table.end(),
                       [&](const OptionSpec& spec) { return spec.name == argument.substr(0, argument.find('=')); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::vector<std::string_view> arguments = split(fuzz::Input(data, size).rest(), '\n');
    const ParsedOptions parsed = parse_options(arguments);
    require(parsed.errors.size() <= arguments.size(), "at most one error an argument");
    for (const std::string& error : parsed.errors) require(!error.empty() && is_printable(error), "an error is one line of text");
    require(is_inside_table(parsed.options), "no value but one of the table, whatever else is wrong");
    if (parsed.errors.empty()) {
        require(std::all_of(arguments.begin(), arguments.end(), is_known), "an unknown option is an error");
        require(is_whole(parsed.options), "options that contradict each other are an error");
        require(arguments.size() <= option_table().size(), "an option given twice is an error");
        std::reverse(arguments.begin(), arguments.end());
        const ParsedOptions reversed = parse_options(arguments);
        require(reversed.errors.empty() && same(parsed.options, reversed.options), "the order does not matter");
    }
    // Whatever comes before or after: a typo is not lost.
    arguments.push_back("strict=yes");
    require(!parse_options(arguments).errors.empty(), "a wrong value is an error beside anything");
    return 0;
}
