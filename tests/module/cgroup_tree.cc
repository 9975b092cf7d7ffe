// SPDX-License-Identifier: GPL-2.0-or-later
#include "cgroup_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "slurm_adopt/mount_table.h"

namespace slurm_adopt::test {
namespace {

constexpr const char* freezer = "/sys/fs/cgroup/freezer";

// A host with cgroup v1 has v2 beside it for systemd, or can have it mounted anywhere.
const std::string& unified()
{
    static const std::string directory = [] {
        std::ifstream file("/proc/self/mountinfo");
        const std::string table{std::istreambuf_iterator<char>(file), {}};
        std::string found = cgroup_directory(table, CgroupEntry{"", "/"}).value_or("/sys/fs/cgroup/unified/");
        found.pop_back();
        return found;
    }();
    return directory;
}

void remove_tree(const std::string& root)
{
    namespace fs = std::filesystem;
    std::error_code error;
    std::vector<std::string> directories = {root};
    for (auto at = fs::recursive_directory_iterator(root, error); !error && at != fs::recursive_directory_iterator();
         at.increment(error))
        if (at->is_directory(error)) directories.push_back(at->path());
    std::sort(directories.begin(), directories.end(), std::greater<>());  // the deepest first
    for (const std::string& directory : directories) {
        // What has just been killed may need a moment to be gone.
        for (int tries = 0; ::rmdir(directory.c_str()) != 0 && errno == EBUSY && tries < 200; ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (fs::exists(root, error)) std::fprintf(stderr, "left behind: %s\n", root.c_str());
}

// What programs left that were killed, or ended by a sanitizer: their destructors did not run.
void sweep_the_dead()
{
    const std::string ours = "slurm_sat";
    std::error_code error;
    std::vector<std::string> dead;
    for (const auto& entry : std::filesystem::directory_iterator(freezer, error)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with(ours) || name.find('x', ours.size()) == std::string::npos) continue;
        const std::string pid = name.substr(ours.size(), name.find('x', ours.size()) - ours.size());
        if (!std::filesystem::exists("/proc/" + pid)) dead.push_back(entry.path());
    }
    for (const std::string& root : dead) remove_tree(root);
}

}  // namespace

CgroupTree::CgroupTree()
{
    static int counter = 0;
    if (counter == 0) sweep_the_dead();
    node_ = "sat" + std::to_string(::getpid()) + 'x' + std::to_string(++counter);
}

CgroupTree::~CgroupTree()
{
    for (const std::string& root : roots_) remove_tree(root);
}

StepCgroup CgroupTree::make_step(Layout layout, uid_t uid, unsigned job_id)
{
    if (layout == Layout::no_cgroup) return {};
    const std::string job = "job_" + std::to_string(job_id);
    const std::string root =
        layout == Layout::v1 ? std::string(freezer) + "/slurm_" + node_ : unified() + '/' + node_ + "_slurmstepd.scope";
    if (std::find(roots_.begin(), roots_.end(), root) == roots_.end()) roots_.push_back(root);

    StepCgroup step;
    if (layout == Layout::v1) {
        const std::string below = "/uid_" + std::to_string(uid) + '/' + job;
        step = {root + below, root + below + "/step_extern", "freezer:/slurm_" + node_ + below + "/step_extern"};
    } else {
        const std::string below =
            '/' + (layout == Layout::v2 ? job : "s4ZHM7WXK5QW" + std::to_string(job_id)) + "/step_extern";
        step = {root + below + "/slurm", root + below + "/user/task_special",
                ":/" + node_ + "_slurmstepd.scope" + below + "/user/task_special"};
    }
    std::filesystem::create_directories(step.slurmstepd);
    std::filesystem::create_directories(step.adopted);
    // The kernel dates a cgroup's directory when it is first looked at, which slurmstepd does at once.
    struct stat status {};
    for (std::string at = step.adopted; at.size() > root.size(); at.resize(at.rfind('/'))) (void)::stat(at.c_str(), &status);
    return step;
}

bool move_to_cgroup(const std::string& directory, pid_t pid)
{
    const int fd = ::open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    char text[32];
    const int length = std::snprintf(text, sizeof text, "%d", pid);
    const bool moved = ::write(fd, text, static_cast<std::size_t>(length)) == length;
    (void)::close(fd);
    return moved;
}

void leave_cgroups()
{
    (void)move_to_cgroup(freezer, 0);
    (void)move_to_cgroup(unified(), 0);
}

}  // namespace slurm_adopt::test
