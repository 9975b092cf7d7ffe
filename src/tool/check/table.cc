// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/checks.h"

namespace slurm_adopt::tool {
namespace {

constexpr Check table[] = {
    {"pam.files", check_pam_files},
    {"pam.owner", check_pam_owner},
    {"pam.phases", check_pam_phases},
    {"pam.account.line", check_account_line},
    {"pam.account.control", check_account_control},
    {"pam.account.reached", check_account_reached},
    {"pam.account.not-alone", check_account_not_alone},
    {"pam.session.line", check_session_line},
    {"pam.session.control", check_session_control},
    {"pam.session.order", check_session_order},
    {"pam.session.reached", check_session_reached},
    {"pam.options", check_options},
    {"pam.strict", check_strict},
    {"pam.service", check_service},
    {"pam.same-options", check_same_options},
    {"pam.lists", check_lists},
    {"pam.dash", check_dash},
    {"pam.once", check_once},
    {"pam.other-services", check_other_services},
    {"module.file", check_module_file},
    {"module.owner", check_module_owner},
    {"module.ours", check_module_is_ours},
    {"sshd.use-pam", check_sshd_use_pam},
    {"sshd.methods", check_sshd_methods},
    {"sshd.match", check_sshd_match},
    {"sshd.grace", check_sshd_grace},
    {"cgroup.mounted", check_cgroups},
    {"systemd.user-manager", check_user_manager},
    {"helper.file", check_helper},
    {"munge.socket", check_munge},
    {"controller.answers", check_controller},
    {"controller.secrecy", check_controller_secrecy},
    {"slurm.conf", check_slurm_conf},
    {"slurm.prolog-flags", check_prolog_flags},
    {"slurm.proctrack", check_proctrack},
    {"slurm.task-plugin", check_task_plugin},
    {"slurm.launch", check_launch_parameters},
    {"slurm.job-container", check_job_container},
    {"slurm.slurmd-parameters", check_slurmd_parameters},
    {"slurm.use-pam", check_slurm_use_pam},
    {"slurm.node", check_slurm_node},
    {"slurm.spool-dir", check_slurm_spool},
    {"slurm.slurmd", check_slurmd},
    {"slurm.slurmd-port", check_slurmd_port},
    {"slurm.peers", check_peers},
    {"steps.extern", check_extern_steps},
    {"steps.node-name", check_node_name},
    {"steps.spool-dir", check_spool_dir},
    {"selinux.state", check_selinux},
};

}  // namespace

std::span<const Check> all_checks()
{
    return table;
}

}  // namespace slurm_adopt::tool
