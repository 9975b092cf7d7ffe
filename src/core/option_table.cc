// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "slurm_adopt/helper_wire.h"
#include "slurm_adopt/options.h"

namespace slurm_adopt {
namespace {

using enum OptionType;

constexpr std::string_view switch_values = "0|1|false|true";
// What fits into a question to the helpers, with its NUL.
constexpr std::size_t longest_rest_text = helper_wire::longest_path - 1;
constexpr std::size_t longest_user = helper_wire::longest_user - 1;

// In the order of the manual: Slurm's own options, then ours.
constexpr std::array table = {
    OptionSpec{.id = OptionId::action_no_jobs, .name = "action_no_jobs", .type = choice, .allowed = "deny|ignore",
               .default_value = "deny", .help = "What to do when the user has no job on this node."},
    OptionSpec{.id = OptionId::action_unknown, .name = "action_unknown", .type = choice, .allowed = "newest|allow|deny",
               .default_value = "newest",
               .help = "What to do when the user has several jobs on this node and it is not known which one the login belongs to."},
    OptionSpec{.id = OptionId::action_adopt_failure, .name = "action_adopt_failure", .type = choice, .allowed = "allow|deny",
               .default_value = "allow", .help = "What to do when the login could not be adopted into the job."},
    OptionSpec{.id = OptionId::action_generic_failure, .name = "action_generic_failure", .type = choice,
               .allowed = "ignore|allow|deny", .default_value = "ignore",
               .help = "What to do when the module cannot work at all, e.g. /proc is unreadable or memory is out."},
    OptionSpec{.id = OptionId::disable_x11, .name = "disable_x11", .type = boolean, .allowed = switch_values,
               .default_value = "0", .help = "Do not set DISPLAY and XAUTHORITY to the X11 forwarding of the job."},
    OptionSpec{.id = OptionId::join_container, .name = "join_container", .type = boolean, .allowed = switch_values,
               .default_value = "true", .help = "Join the namespaces that a job_container or namespace plugin made for the job."},
    OptionSpec{.id = OptionId::log_level, .name = "log_level", .type = level,
               .allowed = "quiet|fatal|error|info|verbose|debug|debug2|debug3|debug4|debug5 or 0-9", .default_value = "info",
               .help = "How much to write to syslog."},
    OptionSpec{.id = OptionId::nodename, .name = "nodename", .type = name, .allowed = "a node name", .default_value = "",
               .help = "Only jobs of this node, where several slurmd run on one machine."},
    OptionSpec{.id = OptionId::service, .name = "service", .type = services, .allowed = "PAM service names, comma-separated, or *",
               .default_value = "sshd", .help = "The PAM services to act for; the module ignores all others."},
    OptionSpec{.id = OptionId::single_job_skip_rpc, .name = "single_job_skip_rpc", .type = boolean, .allowed = switch_values,
               .default_value = "1", .help = "Do not ask the source node when the user has only one job on this node."},
    OptionSpec{.id = OptionId::ignore_root, .name = "ignore_root", .type = boolean, .allowed = switch_values,
               .default_value = "1",
               .help = "Leave root alone; with 0 root is adopted where root has a job, and passes in every other case."},
    OptionSpec{.id = OptionId::strict, .name = "strict", .type = flag, .allowed = switch_values, .default_value = "0",
               .help = "Refuse on every adoption and generic failure, whatever action_adopt_failure and action_generic_failure say."},
    OptionSpec{.id = OptionId::timeout, .name = "timeout", .type = number, .allowed = "seconds, 1 to 120", .default_value = "10",
               .help = "The longest that one login may take in this module.", .least = 1, .most = 120},
    OptionSpec{.id = OptionId::callerid_timeout, .name = "callerid_timeout", .type = number, .allowed = "seconds, 1 to 60",
               .default_value = "2", .help = "The longest to wait for the source node's answer.", .least = 1, .most = 60},
    OptionSpec{.id = OptionId::spool_dir, .name = "spool_dir", .type = path, .allowed = "an absolute path", .default_value = "",
               .help = "Look for the sockets of extern steps in this directory instead of asking the kernel."},
    OptionSpec{.id = OptionId::slurm_conf, .name = "slurm_conf", .type = path, .allowed = "an absolute path", .default_value = "",
               .help = "The slurm.conf for the helper."},
    OptionSpec{.id = OptionId::helper, .name = "helper", .type = path, .allowed = "an absolute path", .default_value = "",
               .help = "The helper program, where it is not at its installed path."},
    OptionSpec{.id = OptionId::exempt_users, .name = "exempt_users", .type = names, .allowed = "user names or @FILE, comma-separated",
               .default_value = "", .help = "Users whom the module leaves alone."},
    OptionSpec{.id = OptionId::exempt_groups, .name = "exempt_groups", .type = names, .allowed = "group names or @FILE, comma-separated",
               .default_value = "", .help = "Groups (primary or supplementary) whose members the module leaves alone."},
    OptionSpec{.id = OptionId::exempt_adopt, .name = "exempt_adopt", .type = boolean, .allowed = switch_values, .default_value = "0",
               .help = "Adopt an exempt user who has a job here; without one, or where that fails, the user passes all the same."},
    OptionSpec{.id = OptionId::wait_for_job, .name = "wait_for_job", .type = number, .allowed = "seconds, 0 to 60",
               .default_value = "0", .help = "How long to wait for a job that is starting.", .least = 0, .most = 60},
    OptionSpec{.id = OptionId::controller, .name = "controller", .type = choice, .allowed = "none|rpc|rest", .default_value = "none",
               .help = "Ask the controller about a user without an extern step here: slurmctld by RPC, or slurmrestd."},
    OptionSpec{.id = OptionId::controller_timeout, .name = "controller_timeout", .type = number, .allowed = "seconds, 1 to 60",
               .default_value = "2", .help = "The longest to wait for the controller's answer.", .least = 1, .most = 60},
    OptionSpec{.id = OptionId::rest_url, .name = "rest_url", .type = url,
               .allowed = "http://HOST[:PORT], https://HOST[:PORT] or unix:/PATH", .default_value = "",
               .help = "Where slurmrestd is, for controller=rest.", .longest = longest_rest_text},
    OptionSpec{.id = OptionId::rest_user, .name = "rest_user", .type = user, .allowed = "a user name", .default_value = "",
               .help = "Whom the token for slurmrestd is for; root where it is not set.", .longest = longest_user},
    OptionSpec{.id = OptionId::rest_token_file, .name = "rest_token_file", .type = path, .allowed = "an absolute path",
               .default_value = "", .help = "The file with the token for slurmrestd.", .longest = longest_rest_text},
    OptionSpec{.id = OptionId::rest_key_file, .name = "rest_key_file", .type = path, .allowed = "an absolute path",
               .default_value = "", .help = "The file with the key, to mint a token for slurmrestd with.",
               .longest = longest_rest_text},
    OptionSpec{.id = OptionId::rest_ca_file, .name = "rest_ca_file", .type = path, .allowed = "an absolute path",
               .default_value = "", .help = "The certificates that slurmrestd's has to be signed by; the system's where it is not set.",
               .longest = longest_rest_text},
    OptionSpec{.id = OptionId::import_env, .name = "import_env", .type = patterns,
               .allowed = "variable names or PREFIX_*, comma-separated", .default_value = "",
               .help = "Variables of the job to set in the session."},
    OptionSpec{.id = OptionId::runtime_dir, .name = "runtime_dir", .type = boolean, .allowed = switch_values,
               .default_value = "0", .help = "Make a private XDG_RUNTIME_DIR for the session."},
    OptionSpec{.id = OptionId::job_choice, .name = "job_choice", .type = choice, .allowed = "none|file", .default_value = "none",
               .help = "Let a user with several jobs here name one in ~/.config/slurm-adopt/job (slurm-adopt use)."},
    OptionSpec{.id = OptionId::choose, .name = "choose", .type = order, .allowed = "callerid, file, newest; comma-separated, newest last",
               .default_value = "", .help = "What says which of several jobs a login belongs to, in this order."},
    OptionSpec{.id = OptionId::sticky, .name = "sticky", .type = boolean, .allowed = switch_values, .default_value = "0",
               .help = "Of several jobs take the one in which a login of the user's from the same address is already."},
    OptionSpec{.id = OptionId::deny_message_file, .name = "deny_message_file", .type = path, .allowed = "an absolute path",
               .default_value = "", .help = "A text of the site's that a refused user is told after ours."},
    OptionSpec{.id = OptionId::quiet, .name = "quiet", .type = flag, .allowed = switch_values, .default_value = "0",
               .help = "Say nothing to the user."},
};

}  // namespace

std::span<const OptionSpec> option_table()
{
    return table;
}

}  // namespace slurm_adopt
