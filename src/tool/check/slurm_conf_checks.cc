// SPDX-License-Identifier: GPL-2.0-or-later
// What slurm.conf(5) has to say for logins to be adopted. Of the copy on this node: slurmctld may have another.
#include <algorithm>

#include "check/checks.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr const char* in_force = " into slurm.conf (the same on all nodes), and restart slurmctld and every slurmd";

bool has_word(const std::string& list, std::string_view word)
{
    const auto words = split(list, ',');
    return std::any_of(words.begin(), words.end(), [&](std::string_view one) { return lower_case(one) == word; });
}

// "task/cgroup" with, "(none)" without a value.
std::string shown(const std::string& value)
{
    return value.empty() ? "(none)" : printable(value);
}

bool acts_in(const OurStack& stack, const std::string& service)
{
    return std::any_of(stack.lines.begin(), stack.lines.end(), [&](const OurLine& ours) {
        const auto& services = ours.options.options.service;
        return std::any_of(services.begin(), services.end(), [&](const std::string& name) { return name == "*" || name == service; });
    });
}

}  // namespace

Found check_slurm_conf(const Node& node)
{
    const auto& config = node.slurm_config();
    if (config.ok())
        return found_ok("read by libslurm " + printable(config.value().version) + "; nodes in it: " + std::to_string(config.value().nodes));
    return found_warn("slurm.conf was not looked at: " + config.error().context,
                      "run this as root, with the helper installed (helper.file), and a slurm.conf where Slurm looks for it or where "
                      "slurm_conf= in both lines says; the log (authpriv) of slurm-adopt-helper says more");
}

Found check_prolog_flags(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    if (config.value().contain) return found_ok("PrologFlags has contain");
    if (config.value().x11) return found_ok("PrologFlags has x11, which implies contain");
    return found_fail("PrologFlags has no contain: jobs get no extern step, and all their users are refused",
                      std::string("write PrologFlags=contain") + in_force + "; jobs that run already get none");
}

Found check_proctrack(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    const std::string seen = "ProctrackType=" + shown(config.value().proctrack_type);
    if (config.value().proctrack_type == "proctrack/cgroup") return found_ok(seen);
    return found_fail(seen + ": adopted sessions are not confined, are not ended with their job, or are refused by 'strict'",
                      std::string("write ProctrackType=proctrack/cgroup") + in_force + " while no job runs");
}

Found check_task_plugin(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    const std::string seen = "TaskPlugin=" + shown(config.value().task_plugin);
    if (has_word(config.value().task_plugin, "task/cgroup")) return found_ok(seen);
    const std::string others = config.value().task_plugin.empty() || config.value().task_plugin == "task/none"
                                   ? ""
                                   : printable(config.value().task_plugin) + ',';
    return found_warn(seen + " without task/cgroup: no job is held to its CPUs, memory and devices, and no session in it",
                      "write TaskPlugin=" + others + "task/cgroup" + in_force + "; what is limited: cgroup.conf");
}

Found check_launch_parameters(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    const std::string seen = "LaunchParameters=" + shown(config.value().launch_parameters);
    if (has_word(config.value().launch_parameters, "ulimit_pam_adopt"))
        return found_ok(seen + ": slurmstepd sets RLIMIT_RSS of what it adopts, as of its tasks");
    return found_ok(seen + ": without ulimit_pam_adopt sessions have no RLIMIT_RSS of their job; its cgroup limits them");
}

Found check_job_container(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    const std::string& type = config.value().job_container;
    const std::string seen = "JobContainerType=" + shown(type);
    const bool has_namespaces = !type.empty() && !type.ends_with("/none");
    if (!has_namespaces) return found_ok(seen);
    if (node.options().join_container) return found_ok(seen + ", joined by sessions");
    return found_warn(seen + ", but join_container=false: sessions see another /tmp than their job",
                      "take join_container= out of both lines");
}

Found check_slurmd_parameters(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    const std::string seen = "SlurmdParameters=" + shown(config.value().slurmd_parameters);
    if (!has_word(config.value().slurmd_parameters, "config_overrides")) return found_ok(seen);
    return found_warn(seen + ": slurmd takes this node for as large as slurm.conf says; jobs can be given more than there is",
                      "take config_overrides out of SlurmdParameters, but on a machine for tests, and restart slurmd");
}

Found check_slurm_use_pam(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    if (!config.value().use_pam) return found_ok("UsePAM=0: tasks of jobs open no PAM session");
    const Node tasks = look_at(node.roots, "slurm");
    if (acts_in(tasks.account, "slurm") || acts_in(tasks.session, "slurm"))
        return found_fail("UsePAM=1, and the stack of service 'slurm' has our module act for the tasks of jobs themselves",
                          "take slurm (or *) out of service= in that line, or the line out of /etc/pam.d/slurm");
    if (tasks.session.stack.ok() && !find_modules(tasks.session.stack.value(), "pam_systemd.so").empty())
        return found_warn("UsePAM=1, and the session stack of service 'slurm' has pam_systemd, which moves tasks out of their job",
                          "include no file in /etc/pam.d/slurm that has pam_systemd");
    return found_ok("UsePAM=1: the stack of service 'slurm' leaves tasks in their job");
}

Found check_slurm_node(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok()) return std::nullopt;
    if (const auto& own = config.value().own) return found_ok("this is node " + printable(own->node) + ", NodeAddr " + printable(own->address));
    const std::string& wanted = node.options().nodename;
    if (!wanted.empty())
        return found_fail("nodename=" + printable(wanted) + ", but slurm.conf has no such node",
                          "write the NodeName of this host in both lines, or leave nodename= out");
    return found_warn("slurm.conf has no node with this host's name: slurmd does not start here without -N",
                      "add a line 'NodeName=... NodeHostname=HOST' for this host to slurm.conf, or where slurmd is started with -N, "
                      "write nodename= in both lines");
}

Found check_slurm_spool(const Node& node)
{
    const auto& config = node.slurm_config();
    if (!config.ok() || !config.value().own || config.value().spool_dir.empty()) return std::nullopt;
    std::string directory = config.value().spool_dir;
    for (std::size_t at = 0; (at = directory.find("%n")) != std::string::npos;) directory.replace(at, 2, config.value().own->node);
    const std::string& named = node.options().spool_dir;
    const std::string seen = "SlurmdSpoolDir=" + printable(directory);
    // %h is slurmd's to know.
    if (named.empty() || named == directory || directory.find("%h") != std::string::npos) return found_ok(seen);
    return found_fail(seen + ", but spool_dir=" + printable(named) + ": no job is found, and every user is refused",
                      "write spool_dir=" + printable(directory) + " in both lines, or leave it out");
}

}  // namespace slurm_adopt::tool
