// SPDX-License-Identifier: GPL-2.0-or-later
#include "check/checks.h"

namespace slurm_adopt::tool {
namespace {

constexpr Check table[] = {
    {"pam.files", check_pam_files},
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
    {"pam.dash", check_dash},
    {"pam.once", check_once},
    {"pam.other-services", check_other_services},
    {"module.file", check_module_file},
    {"module.owner", check_module_owner},
    {"module.ours", check_module_is_ours},
    {"sshd.use-pam", check_sshd_use_pam},
    {"sshd.methods", check_sshd_methods},
    {"cgroup.mounted", check_cgroups},
    {"systemd.user-manager", check_user_manager},
    {"helper.file", check_helper},
    {"munge.socket", check_munge},
    {"slurm.slurmd", check_slurmd},
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
