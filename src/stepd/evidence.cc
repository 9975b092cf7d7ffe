// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/evidence.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// The names in a directory that begin with `prefix`. Unreadable is the same as empty: no evidence.
std::vector<std::string> names_in(const std::string& directory, std::string_view prefix)
{
    const auto close_directory = [](DIR* open) { (void)::closedir(open); };
    const std::unique_ptr<DIR, decltype(close_directory)> open(::opendir(directory.c_str()), close_directory);
    std::vector<std::string> names;
    while (const dirent* entry = open ? ::readdir(open.get()) : nullptr)
        if (std::string_view(entry->d_name).starts_with(prefix)) names.emplace_back(entry->d_name);
    return names;
}

constexpr std::string_view job_prefix = "job_";

std::optional<std::uint32_t> job_id_of(std::string_view directory_name)
{
    return parse_number<std::uint32_t>(directory_name.substr(job_prefix.size()));
}

bool is_file_system(const std::string& directory, long type)
{
    struct statfs status {};
    return ::statfs(directory.c_str(), &status) == 0 && status.f_type == type;
}

bool is_directory(const std::string& path)
{
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool has_processes(const std::string& cgroup)
{
    // One byte tells, and this is asked of every job of everybody before a refusal.
    const Fd processes(::open((cgroup + "/cgroup.procs").c_str(), O_RDONLY | O_CLOEXEC));
    char first = 0;
    return processes && ::read(processes.get(), &first, 1) == 1;
}

}  // namespace

std::string Evidence::tree_directory(const std::string& node) const
{
    if (!is_file_system(roots_.freezer, roots_.freezer_type)) return {};
    for (const std::string& name : {"slurm_" + node, std::string("slurm")})
        if (std::string directory = roots_.freezer + '/' + name; is_directory(directory)) return directory;
    return {};
}

Evidence::Tree& Evidence::tree_of(std::string_view node)
{
    const auto known = std::find_if(trees_.begin(), trees_.end(), [&](const Tree& tree) { return tree.node == node; });
    if (known != trees_.end()) return *known;

    Tree tree{std::string(node), {}, {}};
    tree.directory = tree_directory(tree.node);
    if (!tree.directory.empty()) {
        for (const std::string& name : names_in(tree.directory + "/uid_" + std::to_string(uid_), job_prefix))
            if (const auto job_id = job_id_of(name)) tree.own_jobs.push_back(*job_id);
        std::sort(tree.own_jobs.begin(), tree.own_jobs.end());
    }
    return trees_.emplace_back(std::move(tree));
}

Hint Evidence::hint(const StepSocketView& socket)
{
    const Tree& tree = tree_of(socket.node);
    if (!tree.directory.empty())
        return std::binary_search(tree.own_jobs.begin(), tree.own_jobs.end(), socket.job_id) ? Hint::own : Hint::foreign;

    char batch[32];
    (void)std::snprintf(batch, sizeof batch, "/job%05u", static_cast<unsigned>(socket.job_id));
    struct stat status {};
    if (::lstat((std::string(socket.directory) + batch).c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return Hint::unknown;
    if (status.st_uid == uid_) return Hint::own;
    return status.st_uid == 0 ? Hint::unknown : Hint::foreign;  // root's may be a user's whose chown failed
}

void Evidence::read_foreign_jobs(const Tree& tree)
{
    if (std::find(nodes_read_.begin(), nodes_read_.end(), tree.node) != nodes_read_.end()) return;
    nodes_read_.push_back(tree.node);
    const std::string own = "uid_" + std::to_string(uid_);
    for (const std::string& owner : names_in(tree.directory, "uid_")) {
        if (owner == own) continue;
        const std::string directory = tree.directory + '/' + owner + '/';
        for (const std::string& job : names_in(directory, job_prefix))
            if (const auto job_id = job_id_of(job))
                foreign_jobs_.push_back({tree.node, *job_id, directory + job});
    }
}

bool Evidence::is_foreign(const StepSocketView& socket)
{
    const Tree& tree = tree_of(socket.node);
    if (tree.directory.empty() || std::binary_search(tree.own_jobs.begin(), tree.own_jobs.end(), socket.job_id)) return false;
    read_foreign_jobs(tree);
    return std::any_of(foreign_jobs_.begin(), foreign_jobs_.end(), [&](const ForeignJob& job) {
        return job.job_id == socket.job_id && job.node == socket.node && (has_processes(job.directory) || has_processes(job.directory + "/step_extern"));
    });
}

}  // namespace slurm_adopt
