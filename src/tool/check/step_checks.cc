// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>

#include "check/checks.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/hung.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t longest_socket_list = std::size_t{64} * 1024 * 1024;
constexpr std::chrono::seconds longest_look_at_stopped{2};

struct Steps {
    std::set<std::string> jobs;  // "NODE_JOB" that have a step here
    std::set<std::string> nodes;
    std::map<std::string, std::string> extern_sockets;  // the jobs with an extern step, and where its slurmstepd listens
};

// "<node>_<job>.<step>[.<component>]", see step_socket.h.
bool is_step_name(std::string_view name)
{
    const std::size_t underscore = name.rfind('_');
    if (underscore == std::string_view::npos || underscore == 0) return false;
    const auto numbers = split(name.substr(underscore + 1), '.');
    return numbers.size() >= 2 && numbers.size() <= 3 &&
           std::all_of(numbers.begin(), numbers.end(),
                       [](std::string_view number) { return parse_number<std::uint32_t>(number).has_value(); });
}

// The steps whose slurmstepd listens, by /proc/net/unix (proc(5)). Anybody can name a socket like that; only root's count.
Result<Steps> running_steps(const Node& node)
{
    const auto text = read_file(node.roots.proc + "/net/unix", longest_socket_list);
    if (!text.ok()) return text.error();
    Steps steps;
    for (const std::string_view line : split(text.value(), '\n')) {
        const std::size_t slash = line.find('/');
        if (slash == std::string_view::npos) continue;
        const std::string path(line.substr(slash));
        const std::string name = path.substr(path.rfind('/') + 1);
        struct stat status {};
        if (!is_step_name(name) || ::lstat(path.c_str(), &status) != 0 || status.st_uid != 0) continue;
        const std::string job = name.substr(0, name.find('.', name.rfind('_')));
        steps.jobs.insert(job);
        steps.nodes.insert(name.substr(0, name.rfind('_')));
        if (name.find(".4294967292", job.size()) != std::string::npos) steps.extern_sockets.emplace(job, path);
    }
    return steps;
}

// The jobs whose slurmstepd of the extern step is stopped, by a signal or a debugger.
std::set<std::string> stopped_of(const Node& node, const Steps& steps)
{
    Roots roots;
    roots.proc = node.roots.proc;
    const auto sockets = sockets_of_stopped(roots, Deadline::after(longest_look_at_stopped));
    std::set<std::string> stopped;
    for (const auto& [job, path] : steps.extern_sockets)
        if (std::binary_search(sockets.begin(), sockets.end(), path)) stopped.insert(job);
    return stopped;
}

bool runs(const std::string& proc, std::string_view program)
{
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc.c_str()), &::closedir);
    if (!directory) return false;
    while (const dirent* const entry = ::readdir(directory.get())) {
        if (!parse_number<unsigned>(entry->d_name)) continue;
        const auto name = read_file(proc + '/' + entry->d_name + "/comm", 64);
        if (name.ok() && name.value() == std::string(program) + '\n') return true;
    }
    return false;
}

std::string listed(const std::set<std::string>& names)
{
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
    return text;
}

}  // namespace

Found check_slurmd(const Node& node)
{
    if (runs(node.roots.proc, "slurmd")) return found_ok("slurmd runs");
    return found_warn("no slurmd runs: no job can start here", "systemctl enable --now slurmd");
}

Found check_extern_steps(const Node& node)
{
    const auto steps = running_steps(node);
    if (!steps.ok()) return found_fail(steps.error().context, "mount /proc");
    std::set<std::string> without;
    for (const std::string& job : steps.value().jobs)
        if (!steps.value().extern_sockets.contains(job)) without.insert(job);
    if (steps.value().jobs.empty()) return found_ok("no job runs here now");
    if (const auto stopped = stopped_of(node, steps.value()); !stopped.empty())
        return found_fail("slurmstepd is stopped for the extern step of " + listed(stopped) +
                              ": logins to that job are refused, after the timeout",
                          "find it by slurm-adopt list and let it go on: kill -CONT its pid; or end the job: scancel");
    if (without.empty()) return found_ok(std::to_string(steps.value().jobs.size()) + " jobs here, each with an extern step");
    return found_fail(
        "jobs without an extern step: " + listed(without) + ": their users are refused",
        "write PrologFlags=contain into slurm.conf, restart slurmctld and slurmd; jobs that run already get none");
}

Found check_node_name(const Node& node)
{
    const std::string& wanted = node.options().nodename;
    if (wanted.empty()) return std::nullopt;
    const auto steps = running_steps(node);
    if (!steps.ok() || steps.value().nodes.empty())
        return found_ok("nodename=" + wanted + ", and no job here to compare with");
    if (steps.value().nodes.contains(wanted)) return found_ok("nodename=" + wanted);
    return found_fail("nodename=" + wanted + ", but the jobs here are those of " + listed(steps.value().nodes) +
                          ": every user is refused",
                      "write nodename=" + *steps.value().nodes.begin() + " into both lines, or leave the option out");
}

Found check_spool_dir(const Node& node)
{
    const std::string& directory = node.options().spool_dir;
    if (directory.empty()) return std::nullopt;
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
        return found_fail("spool_dir=" + directory + ": no such directory: no job is found",
                          "name SlurmdSpoolDir of slurm.conf in both lines, or leave the option out");
    if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return found_fail("spool_dir=" + directory + ": others than root can write there",
                          "chown root " + directory + " && chmod go-w " + directory);
    return found_ok("spool_dir=" + directory);
}

}  // namespace slurm_adopt::tool
