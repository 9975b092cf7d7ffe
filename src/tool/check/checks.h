// SPDX-License-Identifier: GPL-2.0-or-later
// The checks of slurm-adopt check, by topic, and the table of them. Each looks at one thing, changes nothing, and says
// nothing (nullopt) where its thing is not there to be looked at; which other check says why is noted.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "check/finding.h"
#include "check/node.h"

namespace slurm_adopt::tool {

using Found = std::optional<Finding>;

// The service's file and all that it includes can be read, for both phases.
[[nodiscard]] Found check_pam_files(const Node& node);
[[nodiscard]] Found check_pam_owner(const Node& node);   // only where they can
[[nodiscard]] Found check_pam_phases(const Node& node);  // nothing of ours in those that we do not have

// The account line. From the second on: only where there is one (check_account_line).
[[nodiscard]] Found check_account_line(const Node& node);
[[nodiscard]] Found check_account_control(const Node& node);
[[nodiscard]] Found check_account_reached(const Node& node);  // no line above ends the phase or jumps over it
[[nodiscard]] Found check_account_not_alone(const Node& node);

// The session line.
[[nodiscard]] Found check_session_line(const Node& node);
[[nodiscard]] Found check_session_control(const Node& node);
[[nodiscard]] Found check_session_order(const Node& node);  // below pam_systemd
[[nodiscard]] Found check_session_reached(const Node& node);

// What stands in the lines; only where there are any.
[[nodiscard]] Found check_options(const Node& node);
[[nodiscard]] Found check_strict(const Node& node);
[[nodiscard]] Found check_service(const Node& node);
[[nodiscard]] Found check_same_options(const Node& node);
[[nodiscard]] Found check_lists(const Node& node);  // only where a line names a file of exempt users or groups
[[nodiscard]] Found check_dash(const Node& node);
[[nodiscard]] Found check_once(const Node& node);

// The other services that load the module.
[[nodiscard]] Found check_other_services(const Node& node);

[[nodiscard]] Found check_module_file(const Node& node);
[[nodiscard]] Found check_module_owner(const Node& node);    // only where there is a file
[[nodiscard]] Found check_module_is_ours(const Node& node);  // only where the file is root's: it is loaded

// sshd -T; only where the service is sshd.
[[nodiscard]] Found check_sshd_use_pam(const Node& node);
[[nodiscard]] Found check_sshd_methods(const Node& node);
[[nodiscard]] Found check_sshd_match(const Node& node);  // Match blocks
[[nodiscard]] Found check_sshd_grace(const Node& node);  // only with the option wait_for_job=

[[nodiscard]] Found check_cgroups(const Node& node);
[[nodiscard]] Found check_user_manager(const Node& node);  // systemd-run --user; only where systemd runs

[[nodiscard]] Found check_helper(const Node& node);
[[nodiscard]] Found check_munge(const Node& node);

// Only with the option controller=.
[[nodiscard]] Found check_controller(const Node& node);
[[nodiscard]] Found check_controller_secrecy(const Node& node);

// The slurmd and the steps that run now.
[[nodiscard]] Found check_slurmd(const Node& node);
[[nodiscard]] Found check_extern_steps(const Node& node);
[[nodiscard]] Found check_node_name(const Node& node);  // only with the option nodename=
[[nodiscard]] Found check_spool_dir(const Node& node);  // only with the option spool_dir=

// slurm.conf; but for the first, only where the helper could read it.
[[nodiscard]] Found check_slurm_conf(const Node& node);
[[nodiscard]] Found check_prolog_flags(const Node& node);
[[nodiscard]] Found check_proctrack(const Node& node);
[[nodiscard]] Found check_task_plugin(const Node& node);
[[nodiscard]] Found check_launch_parameters(const Node& node);
[[nodiscard]] Found check_job_container(const Node& node);
[[nodiscard]] Found check_slurmd_parameters(const Node& node);
[[nodiscard]] Found check_slurm_use_pam(const Node& node);
[[nodiscard]] Found check_slurm_node(const Node& node);
[[nodiscard]] Found check_slurm_spool(const Node& node);   // only where the node is known
[[nodiscard]] Found check_slurmd_port(const Node& node);   // the same
[[nodiscard]] Found check_peers(const Node& node);

[[nodiscard]] Found check_selinux(const Node& node);

struct Check {
    std::string_view name;  // an interface: not renamed
    Found (*look)(const Node&);
};

// In the order in which they are shown.
[[nodiscard]] std::span<const Check> all_checks();

}  // namespace slurm_adopt::tool
