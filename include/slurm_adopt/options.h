// SPDX-License-Identifier: GPL-2.0-or-later
// The options of the PAM line: one table, one strict parser.
//
// Names and meanings up to `ignore_root` are those of Slurm's own module (pam_slurm_adopt of Slurm 22.05 ... 26.05,
// its documentation and its behaviour); the others are ours. Names and values match exactly: case counts, prefixes
// do not. The man page, the README and the tests are held against this table.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slurm_adopt {

enum class OptionId {
    action_no_jobs,
    action_unknown,
    action_adopt_failure,
    action_generic_failure,
    disable_x11,
    join_container,
    log_level,
    nodename,
    service,
    single_job_skip_rpc,
    ignore_root,
    strict,
    timeout,
    callerid_timeout,
    spool_dir,
    slurm_conf,
    helper,
    exempt_users,
    exempt_groups,
    exempt_adopt,
    wait_for_job,
    controller,
    controller_timeout,
    rest_url,
    rest_user,
    rest_token_file,
    rest_key_file,
    rest_ca_file,
    import_env,
    runtime_dir,
    job_choice,
    choose,
    sticky,
    deny_message_file,
    quiet,
};

enum class OptionType {
    choice,    // one of the words in `allowed`, separated by '|'
    boolean,   // 0, 1, false or true
    flag,      // the bare name, or a boolean
    number,    // a decimal number from `least` to `most`
    level,     // quiet, fatal, ... debug5, or 0 to 9
    path,      // absolute, without "." or ".." parts
    name,      // a node name: letters, digits, '.', '_', '-'
    user,      // one user's name
    url,       // http://HOST[:PORT], https://HOST[:PORT] or unix:/PATH
    names,     // user or group names, or @FILE with such names (name_list.h), separated by commas
    services,  // PAM service names, separated by commas, or '*'
    patterns,  // environment names or PREFIX_*, separated by commas
    order,     // callerid, file and newest, each at most once, separated by commas; newest is the last
};

struct OptionSpec {
    OptionId id;
    std::string_view name;
    OptionType type;
    std::string_view allowed;        // what a value may be, as shown to people
    std::string_view default_value;  // as it would be written; empty: not set
    std::string_view help;           // one sentence
    unsigned least = 0;              // of a number
    unsigned most = 0;
    std::size_t longest = 0;         // of a text, in characters; 0: any
};

[[nodiscard]] std::span<const OptionSpec> option_table();

enum class Action { deny, ignore, allow, newest };
enum class JobChoice { none, file };
// What says which of several jobs a login belongs to.
enum class Chooser { callerid, file, newest };
enum class Controller { none, rpc, rest };

// In order: a message is written when its level is at most the chosen one.
enum class LogLevel { quiet, fatal, error, info, verbose, debug, debug2, debug3, debug4, debug5 };

// The options in force. A default-constructed Options holds the defaults of the table.
struct Options {
    Action action_no_jobs = Action::deny;
    Action action_unknown = Action::newest;
    Action action_adopt_failure = Action::allow;
    Action action_generic_failure = Action::ignore;
    bool disable_x11 = false;
    bool join_container = true;
    LogLevel log_level = LogLevel::info;
    std::string nodename;                          // empty: any node of this machine
    std::vector<std::string> service = {"sshd"};   // {"*"}: any
    bool single_job_skip_rpc = true;
    bool ignore_root = true;
    bool strict = false;
    std::chrono::seconds timeout{10};
    std::chrono::seconds callerid_timeout{2};
    std::string spool_dir;  // empty: ask the kernel
    std::string slurm_conf;
    std::string helper;
    std::vector<std::string> exempt_users;
    std::vector<std::string> exempt_user_files;  // lists of them: paths
    std::vector<std::string> exempt_groups;
    std::vector<std::string> exempt_group_files;
    bool exempt_adopt = false;
    std::chrono::seconds wait_for_job{0};
    Controller controller = Controller::none;
    std::chrono::seconds controller_timeout{2};
    std::string rest_url;         // with Controller::rest, and there only: slurmrestd's,
    std::string rest_user;        // whom the token is for; empty: root,
    std::string rest_token_file;  // exactly one of this and the next,
    std::string rest_key_file;
    std::string rest_ca_file;     // empty: the system's
    std::vector<std::string> import_env;
    bool runtime_dir = false;
    JobChoice job_choice = JobChoice::none;
    std::vector<Chooser> choose;    // as listed; empty: not set (policy.h, choosers())
    bool sticky = false;
    std::string deny_message_file;  // empty: none
    bool quiet = false;
};

struct ParsedOptions {
    Options options;
    std::vector<std::string> errors;  // one sentence each: what, where, what is allowed. Empty: all is well.
};

// Parses the arguments of a PAM line. Options that contradict each other are an error as well. With any error `options` holds what could be read, for its log level and
// `quiet` only: the caller refuses.
[[nodiscard]] ParsedOptions parse_options(std::span<const std::string_view> arguments);

}  // namespace slurm_adopt
