// SPDX-License-Identifier: GPL-2.0-or-later
// Which descriptors this process has open: a test compares before and after.
#pragma once

#include <dirent.h>
#include <fcntl.h>

#include <set>
#include <string>

namespace slurm_adopt::test {

inline std::set<int> open_descriptors()
{
    std::set<int> open;
    DIR* directory = ::opendir("/proc/self/fd");
    if (directory == nullptr) return open;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.') open.insert(std::stoi(entry->d_name));
    open.erase(::dirfd(directory));
    (void)::closedir(directory);
    return open;
}

inline bool is_close_on_exec(int fd)
{
    return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

}  // namespace slurm_adopt::test
