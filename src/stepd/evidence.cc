// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/evidence.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "slurm_adopt/directory.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/host_name.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

Fd open_directory(const std::string& path)
{
    return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

constexpr std::string_view job_prefix = "job_";

std::optional<std::uint32_t> job_id_of(std::string_view directory_name)
{
    return parse_number<std::uint32_t>(directory_name.substr(job_prefix.size()));
}

bool is_file_system(const Fd& directory, long type)
{
    struct statfs status {};
    return ::fstatfs(directory.get(), &status) == 0 && status.f_type == type;
}

bool has_processes(const std::string& cgroup)
{
    // One byte tells, and this is asked of every job of everybody before a refusal.
    const Fd processes(::open((cgroup + "/cgroup.procs").c_str(), O_RDONLY | O_CLOEXEC));
    char first = 0;
    return processes && ::read(processes.get(), &first, 1) == 1;
}

}  // namespace

Evidence::Tree& Evidence::tree_of(std::string_view node)
{
    const auto known = std::find_if(trees_.begin(), trees_.end(), [&](const Tree& tree) { return tree.node == node; });
    if (known != trees_.end()) return *known;

    Tree tree{std::string(node), {}, {}};
    for (const std::string& name : {"slurm_" + tree.node, std::string("slurm")}) {
        const std::string directory = roots_.freezer + '/' + name;
        // Who has a job is looked for: that saves the look at the tree itself.
        const Fd own = open_directory(directory + "/uid_" + std::to_string(uid_));
        const Fd whole = own ? Fd() : open_directory(directory);
        if (!is_file_system(own ? own : whole, roots_.freezer_type)) continue;
        tree.directory = directory;
        for (const std::string& job : names_in(own, job_prefix))
            if (const auto job_id = job_id_of(job)) tree.own_jobs.push_back(*job_id);
        std::sort(tree.own_jobs.begin(), tree.own_jobs.end());
        break;
    }
    return trees_.emplace_back(std::move(tree));
}

Hint Evidence::hint(const StepSocketView& socket)
{
    const Tree& tree = tree_of(socket.node);
    if (!tree.directory.empty())
        return std::binary_search(tree.own_jobs.begin(), tree.own_jobs.end(), socket.job_id) ? Hint::own : Hint::foreign;

    return hint_by_batch_script(socket);
}

Hint Evidence::hint_by_batch_script(const StepSocketView& socket)
{
    if (!spool_ || socket.directory != spool_path_) {
        spool_path_ = socket.directory;
        spool_ = Fd(::open(spool_path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    char directory[32];
    char script[64];
    (void)std::snprintf(directory, sizeof directory, "job%05u", static_cast<unsigned>(socket.job_id));
    (void)std::snprintf(script, sizeof script, "%s/slurm_script", directory);
    struct stat status {};
    const auto is = [&](const char* name, mode_t type) {
        return spool_ && ::fstatat(spool_.get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0 && (status.st_mode & S_IFMT) == type;
    };
    if (!is(script, S_IFREG) && !is(directory, S_IFDIR)) return Hint::unknown;
    if (status.st_uid == uid_) return Hint::own;
    return status.st_uid == 0 ? Hint::unknown : Hint::foreign;  // root's may be a user's whose chown failed
}

std::vector<JobOnNode> Evidence::own_jobs(const std::string& nodename)
{
    constexpr std::string_view common_tree = "slurm";
    std::vector<JobOnNode> jobs;
    for (const std::string& tree : names_in(open_directory(roots_.freezer), common_tree)) {
        const bool of_a_node = tree.size() > common_tree.size() && tree[common_tree.size()] == '_';
        if (!of_a_node && tree != common_tree) continue;
        const std::string node = of_a_node ? tree.substr(common_tree.size() + 1) : nodename.empty() ? short_host_name() : nodename;
        if (!nodename.empty() && node != nodename) continue;
        const Tree& found = tree_of(node);
        if (found.directory != roots_.freezer + '/' + tree) continue;  // the node has one of its own beside the common one
        for (const std::uint32_t job_id : found.own_jobs) jobs.push_back({node, job_id});
    }
    return jobs;
}

void Evidence::read_foreign_jobs(const Tree& tree)
{
    if (std::find(nodes_read_.begin(), nodes_read_.end(), tree.node) != nodes_read_.end()) return;
    nodes_read_.push_back(tree.node);
    const std::string own = "uid_" + std::to_string(uid_);
    for (const std::string& owner : names_in(open_directory(tree.directory), "uid_")) {
        if (owner == own) continue;
        const std::string directory = tree.directory + '/' + owner + '/';
        for (const std::string& job : names_in(open_directory(directory), job_prefix))
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
