// SPDX-License-Identifier: GPL-2.0-or-later
#include "processes.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>

#include "cluster.h"

namespace slurm_adopt::e2e {
namespace {

std::string title_of(const std::string& directory)
{
    std::string title = read_whole(directory + "/cmdline");
    std::replace(title.begin(), title.end(), '\0', ' ');
    while (!title.empty() && title.back() == ' ') title.pop_back();
    return title;
}

// The value of a field of /proc/PID/status.
std::string field(const std::string& status, const std::string& name)
{
    const std::size_t start = status.find('\n' + name + ":\t");
    if (start == std::string::npos) return {};
    const std::size_t value = start + name.size() + 3;
    return status.substr(value, status.find('\n', value) - value);
}

std::optional<Process> look_at(pid_t pid)
{
    const std::string directory = "/proc/" + std::to_string(pid);
    const std::string status = '\n' + read_whole(directory + "/status");
    const std::string parent = field(status, "PPid");
    if (parent.empty() || field(status, "State").starts_with('Z')) return std::nullopt;
    Process process{.pid = pid,
                    .parent = static_cast<pid_t>(std::stol(parent)),
                    .uid = static_cast<uid_t>(std::stoul(field(status, "Uid"))),
                    .name = field(status, "Name"),
                    .title = title_of(directory),
                    .cgroup = read_whole(directory + "/cgroup")};
    // It ended meanwhile.
    if (process.cgroup.empty()) return std::nullopt;
    return process;
}

std::vector<Process> all_processes()
{
    std::vector<Process> all;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
        if (auto process = look_at(pid)) all.push_back(std::move(*process));
    }
    return all;
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    return all;
}

// The extern step's directory in every hierarchy in which its slurmstepd is below the job; in the freezer it stays one
// above the step.
std::vector<std::string> step_directories(const Job& job)
{
    const std::string part = "/job_" + job.id_text();
    std::vector<std::string> found;
    for (const std::string& line : lines_of(read_whole("/proc/" + std::to_string(job.stepd()) + "/cgroup")))
        if (const std::size_t at = line.find(part); at != std::string::npos && (line + '/')[at + part.size()] == '/')
            found.push_back(line.substr(0, at) + part + "/step_extern");
    return found;
}

bool is_in_all(const std::string& cgroup, const std::vector<std::string>& directories)
{
    const std::vector<std::string> own = lines_of(cgroup);
    return !directories.empty() && std::all_of(directories.begin(), directories.end(), [&](const std::string& directory) {
        return std::any_of(own.begin(), own.end(),
                           [&](const std::string& line) { return (line + '/').starts_with(directory + '/'); });
    });
}

// The places a reader wants to see: the freezer's, and whatever lies in a job.
std::string place_of(const Process& process)
{
    std::string place;
    for (const std::string& line : lines_of(process.cgroup))
        if (line.find(":freezer:") != std::string::npos || line.find("/job_") != std::string::npos) place += ' ' + line;
    return place;
}

std::string describe_if(const Job& job, const std::vector<Process>& processes, bool inside)
{
    const std::vector<std::string> step = step_directories(job);
    std::vector<Process> found;
    for (const Process& process : processes)
        if (is_in_all(process.cgroup, step) == inside) found.push_back(process);
    return describe(found);
}

}  // namespace

std::vector<Process> descendants(pid_t ancestor)
{
    std::multimap<pid_t, Process> by_parent;
    for (Process& process : all_processes()) by_parent.emplace(process.parent, std::move(process));
    std::vector<Process> found;
    std::vector<pid_t> parents = {ancestor};
    for (std::size_t i = 0; i < parents.size(); ++i) {
        const auto [first, last] = by_parent.equal_range(parents[i]);
        for (auto child = first; child != last; ++child) {
            parents.push_back(child->second.pid);
            found.push_back(child->second);
        }
    }
    return found;
}

std::vector<Process> descendants_with(const std::string& name, pid_t ancestor)
{
    std::vector<Process> found;
    (void)eventually([&] {
        found = descendants(ancestor);
        return count_of(name, found) > 0;
    });
    return found;
}

std::vector<Process> tree(pid_t root)
{
    auto self = look_at(root);
    if (!self) return {};
    std::vector<Process> whole = descendants(root);
    whole.insert(whole.begin(), std::move(*self));
    return whole;
}

bool is_inside(const std::string& cgroup_text, const Job& job)
{
    return is_in_all(cgroup_text, step_directories(job));
}

std::string outside_of(const Job& job, const std::vector<Process>& processes)
{
    return describe_if(job, processes, false);
}

std::string inside_of(const Job& job, const std::vector<Process>& processes)
{
    return describe_if(job, processes, true);
}

std::string describe(const std::vector<Process>& processes)
{
    std::ostringstream text;
    for (const Process& process : processes)
        text << process.pid << " (parent " << process.parent << ", uid " << process.uid << ") " << process.name << " ["
             << process.title << "]" << place_of(process) << '\n';
    return text.str();
}

int count_of(const std::string& name, const std::vector<Process>& processes)
{
    return static_cast<int>(
        std::count_if(processes.begin(), processes.end(), [&](const Process& one) { return one.name == name; }));
}

}  // namespace slurm_adopt::e2e
