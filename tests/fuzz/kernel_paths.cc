// SPDX-License-Identifier: GPL-2.0-or-later
// What the module finds at a path.
#include <linux/magic.h>

#include <algorithm>
#include <cstdio>

#include "kernel.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::fuzz {
namespace {

constexpr std::string_view freezer = "/sys/fs/cgroup/freezer";
constexpr const char* usual_mounts = "24 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
                                     "31 24 0:26 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
                                     "35 24 0:30 / /sys/fs/cgroup/freezer rw shared:15 - cgroup cgroup rw,freezer\n"
                                     "36 24 0:31 / /sys/fs/cgroup/memory rw shared:16 - cgroup cgroup rw,memory\n";

Node file_of(std::string text)
{
    Node node;
    node.text = std::move(text);
    return node;
}

Node directory_of(std::vector<std::string> names, uid_t uid = 0)
{
    Node node;
    node.mode = S_IFDIR | 0755;
    node.uid = uid;
    node.names = std::move(names);
    return node;
}

std::string stat_of(const std::string& pid, char state)
{
    return pid + " (ss hd) x) " + state + " 1 100 100 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 1\n";
}

}  // namespace

std::optional<Node> Kernel::look_up(const std::string& path)
{
    const std::string_view view = path;
    constexpr std::string_view proc = "/proc/";
    if (path == "/proc/net/unix") return file_of(world.listing == 4 ? world.raw : socket_table());
    if (view == "/proc") {
        Node processes = directory_of({".", "..", "self", "net", std::to_string(pid)});
        for (const Step& step : world.steps) processes.names.push_back(std::to_string(step.pid));
        return processes;
    }
    if (view.starts_with(proc)) {
        const std::string_view rest = view.substr(proc.size());
        const std::size_t slash = rest.find('/');
        return look_up_process(rest.substr(0, slash), slash == std::string_view::npos ? "" : rest.substr(slash + 1));
    }
    if (view.starts_with(freezer)) return look_up_freezer(view.substr(freezer.size()));
    if (view.starts_with("/sys/fs/cgroup/")) return view.ends_with("/step_extern") ? std::optional(directory_of({})) : std::nullopt;
    if (view == "/run" || view.starts_with("/run/")) return look_up_run(path.substr(4));
    if (view.starts_with("/lists/")) return look_up_list(view.substr(7));
    if (auto helper_node = look_up_helper(path)) return helper_node;
    return look_up_spool(path);
}

std::optional<Node> Kernel::look_up_list(std::string_view name) const
{
    Node node = file_of(name == "raw" ? world.raw : exempt_list);
    if (name == "bad") node.uid = alice;
    return node;
}

std::optional<Node> Kernel::look_up_process(std::string_view who, std::string_view what)
{
    if (what == "mountinfo") return file_of(world.mounts == 0 ? usual_mounts : world.mounts == 1 ? "" : world.raw);
    // The /proc of a job's namespaces shows none of the processes from outside.
    const bool is_strange = world.own_proc && joined > 0;
    const auto number = parse_number<std::uint32_t>(who);
    const bool is_own = who == "self" || number == static_cast<std::uint32_t>(pid);
    const bool is_parent = number == static_cast<std::uint32_t>(parent_pid) && world.parent != 0;
    if (is_strange && who != "self") return std::nullopt;
    const auto step = std::find_if(world.steps.begin(), world.steps.end(),
                                   [&](const Step& each) { return number == static_cast<std::uint32_t>(each.pid); });
    if (!is_own && !is_parent && (step == world.steps.end() || step->state == 0 || is_gone(*step))) return std::nullopt;

    Node node = file_of({});
    if (what.empty()) {
        node = directory_of({}, is_own || is_parent ? 0 : step->peer);
    } else if (what == "cgroup") {
        node.text = is_strange ? "0::/\n" : is_own || is_parent ? cgroup_of(is_parent) : cgroup_of_stepd(*step);
    } else if (what == "stat") {
        node.text = stat_of(is_strange ? "1" : is_own ? std::to_string(pid) : std::string(who), is_own || is_parent ? 'S' : step->state);
    } else if (what == "ns/pid") {
        node.inode = !is_own && !is_parent && step->other_pids ? 4026531837U : 4026531836U;
    } else if (what == "exe") {
        node.inode = is_parent && world.parent == 2 ? 1001 : 1000;
    } else if (what == "fd") {
        node = directory_of({".", "..", "0", "1", "2"});
        if (world.connection != 1) node.names.push_back(is_own ? "5" : "7");
        if (world.connection == 3) node.names.push_back("6");
        node.names.push_back("x");
    } else {
        return std::nullopt;
    }
    return node;
}

std::optional<Node> Kernel::look_up_freezer(std::string_view path)
{
    if (world.freezer == 2) return std::nullopt;
    constexpr std::string_view processes = "/cgroup.procs";
    const bool is_file = path.ends_with(processes);
    if (is_file) path.remove_suffix(processes.size());
    Node node = directory_of({});
    node.file_system = world.freezer == 1 ? TMPFS_MAGIC : CGROUP_SUPER_MAGIC;
    bool is_there = path.empty();
    for (const Step& step : world.steps) {
        if (step.layout != Layout::v1 || is_gone(step)) continue;
        const std::string tree = '/' + step.tree();
        std::string_view below = tree;
        if (!below.starts_with(path)) continue;
        below.remove_prefix(path.size());
        if (!below.empty() && below.front() != '/') continue;
        is_there = true;
        node.mtime_s = 1'700'000'000 + step.job_id;
        node.text = std::to_string(step.pid) + '\n';
        if (below.empty()) continue;
        const std::string name(below.substr(1, below.find('/', 1) - 1));
        if (std::find(node.names.begin(), node.names.end(), name) == node.names.end()) node.names.push_back(name);
    }
    if (!is_there) return std::nullopt;
    if (is_file) node.mode = S_IFREG | 0644;
    return node;
}

std::optional<Node> Kernel::look_up_spool(const std::string& path)
{
    if (path == spool || path == "/spool") {
        Node node = directory_of({".", "..", "hash.1"});
        for (const Step& step : world.steps)
            if (step.has_file && !is_gone(step)) node.names.push_back(step.file_name());
        return node;
    }
    for (const Step& step : world.steps) {
        char batch[32];
        (void)std::snprintf(batch, sizeof batch, "/job%05u", step.job_id);
        if (step.has_batch_directory && path.ends_with(batch)) return directory_of({}, step.tree_owner);
    }
    const int found = step_at(path);
    if (found < 0) return std::nullopt;
    const Step& step = world.steps[static_cast<std::size_t>(found)];
    if (!step.has_file || is_gone(step)) return std::nullopt;
    Node node;
    node.mode = step.is_socket ? S_IFSOCK | 0777 : S_IFREG | 0644;
    node.uid = step.file_owner;
    node.inode = 2000 + step.job_id;
    node.mtime_s = 1'700'000'000 + step.job_id;
    return node;
}

std::optional<Node> Kernel::look_up_helper(const std::string& path)
{
    const bool is_program = path == "/opt/h" || path.ends_with("/slurm-adopt-helper");
    const bool is_directory = path == "/opt" || path.ends_with("/slurm-adopt");
    if (!is_program && !is_directory) return std::nullopt;
    const std::uint8_t fault_of_file = world.helper_file;
    if (is_program && fault_of_file == 1) return std::nullopt;
    Node node = is_program ? file_of({}) : directory_of({});
    node.mode = is_program ? S_IFREG | 0755 : S_IFDIR | 0755;
    if (is_program && fault_of_file == 2) node.uid = alice;
    if (is_program && fault_of_file == 3) node.mode = S_IFREG | 0775;
    if (is_directory && fault_of_file == 4) node.mode = S_IFDIR | 0757;
    if (is_program && fault_of_file == 5) node.mode = S_IFREG | 0644;
    if (is_directory && fault_of_file == 6) node.uid = alice;
    return node;
}

std::optional<Node> Kernel::look_up_run(const std::string& path)
{
    if (path.empty()) return directory_of({});
    const auto found = run.find(path);
    if (found == run.end()) return std::nullopt;
    Node node;
    node.mode = found->second.mode;
    node.uid = found->second.uid;
    node.device = found->second.is_mounted ? 9 : 2;
    node.file_system = TMPFS_MAGIC;
    node.inode = static_cast<ino_t>(std::distance(run.begin(), found)) + 1;
    if (node.is_directory()) node.names = {".", ".."};
    for (const auto& [other, what] : run)
        if (other.starts_with(path + '/') && other.find('/', path.size() + 1) == std::string::npos)
            node.names.push_back(other.substr(path.size() + 1));
    return node;
}

}  // namespace slurm_adopt::fuzz
