// SPDX-License-Identifier: GPL-2.0-or-later
#include <libcgroup.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answer.h"
#include "log.h"
#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/mount_table.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::helper {
namespace {

// libcgroup's buffers for a path.
using PathBuffer = std::array<char, FILENAME_MAX>;

void add_once(std::vector<std::string>& paths, std::string path)
{
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
}

// cgroup v1: where the hierarchy of these controllers ("cpu,cpuacct") is mounted.
std::vector<std::string> mount_points_of(const std::string& controllers)
{
    std::vector<std::string> points;
    for (const std::string_view controller : split(controllers, ',')) {
        void* handle = nullptr;
        PathBuffer path{};
        int status = ::cgroup_get_subsys_mount_point_begin(std::string(controller).c_str(), &handle, path.data());
        for (; status == 0; status = ::cgroup_get_subsys_mount_point_next(&handle, path.data())) add_once(points, path.data());
        (void)::cgroup_get_subsys_mount_point_end(&handle);
    }
    return points;
}

// cgroup v2: libcgroup knows its mount point as that of every controller enabled there.
std::vector<std::string> unified_mount_points()
{
    std::vector<std::string> points;
    void* handle = nullptr;
    cgroup_mount_point controller{};
    int status = ::cgroup_get_controller_begin(&handle, &controller);
    for (; status == 0; status = ::cgroup_get_controller_next(&handle, &controller)) {
        struct statfs file_system {};
        if (::statfs(controller.path, &file_system) == 0 && file_system.f_type == CGROUP2_SUPER_MAGIC)
            add_once(points, controller.path);
    }
    (void)::cgroup_get_controller_end(&handle);
    return points;
}

std::optional<std::int64_t> mtime_ns(const std::string& directory)
{
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
    return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

class StepDirectories {
public:
    StepDirectories()
    {
        if (const int status = ::cgroup_init(); status == 0)
            is_set_up_ = true;
        else
            log_error(std::string("libcgroup: ") + ::cgroup_strerror(status));
    }

    [[nodiscard]] std::optional<std::int64_t> began(std::int32_t stepd)
    {
        const auto text = read_file("/proc/" + std::to_string(stepd) + "/cgroup", longest_proc_cgroup);
        if (!text) return std::nullopt;
        for (const CgroupEntry& step : extern_step_directories(parse_proc_cgroup(text.value())))
            for (const std::string& directory : directories_of(step))
                if (const auto began = mtime_ns(directory)) return began;
        return std::nullopt;
    }

private:
    // The places where a cgroup may be found; the last one is by the kernel's mount table, for what libcgroup does not
    // know: a named hierarchy, or cgroup v2 without controllers beside cgroup v1.
    [[nodiscard]] std::vector<std::string> directories_of(const CgroupEntry& cgroup)
    {
        std::vector<std::string> directories;
        if (is_set_up_) {
            directories = cgroup.controllers.empty() ? unified_mount_points() : mount_points_of(cgroup.controllers);
            for (std::string& directory : directories) directory += cgroup.path;
        }
        if (!mountinfo_) {
            auto text = read_mountinfo("/proc");
            mountinfo_ = text ? std::move(text).value() : std::string();
        }
        if (auto directory = cgroup_directory(*mountinfo_, cgroup)) directories.push_back(*std::move(directory));
        return directories;
    }

    bool is_set_up_ = false;
    std::optional<std::string> mountinfo_;
};

}  // namespace

helper_wire::TimesReply answer(const helper_wire::TimesRequest& request)
{
    helper_wire::TimesReply reply;
    reply.count = request.count;
    StepDirectories steps;
    for (std::size_t i = 0; i < request.count; ++i) {
        const std::int32_t pid = request.pids[i];
        // Before 1970 is no time: the clock was not set.
        reply.began_ns[i] = std::max<std::int64_t>(steps.began(pid).value_or(0), 0);
        log_debug("stepd=" + std::to_string(pid) + " began_ns=" + std::to_string(reply.began_ns[i]));
    }
    return reply;
}

}  // namespace slurm_adopt::helper
