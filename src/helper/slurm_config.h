// SPDX-License-Identifier: GPL-2.0-or-later
// What libslurm knows of slurm.conf that a login depends on. load_slurm_conf() (slurm_api.h) comes first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace slurm_adopt::helper {

// As slurm.conf has them, or the default; empty where there is neither.
struct Settings {
    bool contain = false;  // PrologFlags
    bool x11 = false;
    bool use_pam = false;
    std::string proctrack_type;
    std::string task_plugin;
    std::string launch_parameters;
    std::string job_container;  // JobContainerType; from 25.11 on NamespaceType
    std::string slurmd_parameters;
    std::string spool_dir;
    std::uint16_t slurmd_port = 0;
};
[[nodiscard]] Settings settings();

// The node of this host: by its host name, or by another of its names in the hosts file. None: slurm.conf has none.
[[nodiscard]] std::optional<std::string> node_of_this_host();

// NodeAddr as written; empty: no such node.
[[nodiscard]] std::string address_of(const std::string& node);

// The port of a node's slurmd. May ask the resolver for its NodeAddr, with libslurm's lock held; none where that fails.
[[nodiscard]] std::optional<std::uint16_t> port_of(const std::string& node);

}  // namespace slurm_adopt::helper
