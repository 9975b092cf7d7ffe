// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/cgroup_path.h"

#include <algorithm>
#include <cstdint>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr std::string_view step_part = "/step_extern";

// Where the path part `/step_extern` ends; npos if there is none. The last one counts: a slurmd that itself runs
// inside somebody's extern step has another further up.
std::size_t end_of_step_part(std::string_view path)
{
    for (std::size_t at = path.rfind(step_part); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : path.rfind(step_part, at - 1)) {
        const std::size_t end = at + step_part.size();
        if (end == path.size() || path[end] == '/') return end;
    }
    return std::string_view::npos;
}

// The job's directory of cgroup v1, `.../uid_<uid>/job_<id>`, which `path` is or is below.
struct JobDirectory {
    std::string_view path;
    uid_t owner = 0;
};

std::optional<JobDirectory> v1_job_directory(std::string_view path)
{
    constexpr std::string_view uid_part = "/uid_";
    constexpr std::string_view job_part = "job_";
    const std::size_t at = path.rfind(uid_part);
    if (at == std::string_view::npos) return std::nullopt;
    const std::size_t uid_end = path.find('/', at + 1);
    if (uid_end == std::string_view::npos) return std::nullopt;
    const std::size_t job_end = std::min(path.find('/', uid_end + 1), path.size());
    const auto owner = parse_number<uid_t>(path.substr(at + uid_part.size(), uid_end - at - uid_part.size()));
    const std::string_view job = path.substr(uid_end + 1, job_end - uid_end - 1);
    if (!owner || !job.starts_with(job_part) || !parse_number<std::uint32_t>(job.substr(job_part.size()))) return std::nullopt;
    return JobDirectory{path.substr(0, job_end), *owner};
}

bool is_below(std::string_view path, std::string_view directory)
{
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

std::vector<CgroupEntry> parse_proc_cgroup(std::string_view text)
{
    std::vector<CgroupEntry> entries;
    for (std::string_view line : split(text, '\n')) {
        const std::size_t first = line.find(':');
        if (first == std::string_view::npos) continue;
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view path = line.substr(second + 1);
        if (!path.starts_with('/')) continue;
        entries.push_back({std::string(line.substr(first + 1, second - first - 1)), std::string(path)});
    }
    return entries;
}

std::vector<CgroupEntry> extern_step_directories(const std::vector<CgroupEntry>& stepd)
{
    std::vector<CgroupEntry> directories;
    for (const CgroupEntry& entry : stepd) {
        const std::size_t end = end_of_step_part(entry.path);
        if (end != std::string_view::npos) {
            directories.push_back({entry.controllers, entry.path.substr(0, end)});
        } else if (const auto job = v1_job_directory(entry.path); job && job->path == entry.path && !entry.controllers.empty()) {
            // 22.05 keeps the slurmstepd out of its own freezer, so that it can thaw the step.
            directories.push_back({entry.controllers, entry.path + std::string(step_part)});
        }
    }
    const bool tracked = std::any_of(directories.begin(), directories.end(), [](const CgroupEntry& entry) {
        return entry.controllers.empty() || entry.controllers == "freezer";
    });
    if (!tracked) directories.clear();
    return directories;
}

std::vector<CgroupEntry> job_directories(std::vector<CgroupEntry> extern_step_directories)
{
    for (CgroupEntry& directory : extern_step_directories) directory.path.resize(directory.path.size() - step_part.size());
    return extern_step_directories;
}

bool is_inside(const std::vector<CgroupEntry>& process, const std::vector<CgroupEntry>& step_directories)
{
    return !step_directories.empty() &&
           std::all_of(step_directories.begin(), step_directories.end(), [&](const CgroupEntry& directory) {
               return std::any_of(process.begin(), process.end(), [&](const CgroupEntry& entry) {
                   return entry.controllers == directory.controllers && is_below(entry.path, directory.path);
               });
           });
}

std::optional<uid_t> owner_by_path(const std::vector<CgroupEntry>& stepd)
{
    for (const CgroupEntry& entry : stepd) {
        if (entry.controllers.empty()) continue;
        if (const auto job = v1_job_directory(entry.path)) return job->owner;
    }
    return std::nullopt;
}

}  // namespace slurm_adopt
