// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/hung.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// Thousands of sockets with paths are half a MiB.
constexpr std::size_t longest_socket_table = std::size_t{16} * 1024 * 1024;
constexpr std::size_t longest_status = 16'384;  // "Groups:" may be long

// Not out of its stat, which a user may keep from being read: the process may be a user's, or a program of root's that the user
// has started.
char state_of(const std::string& process)
{
    const auto status = read_file(process + "/status", longest_status);
    if (!status) return '?';
    constexpr std::string_view field = "\nState:\t";  // in a name a newline is two other characters (proc_pid_status(5))
    const std::size_t at = status.value().find(field);
    return at == std::string::npos || at + field.size() >= status.value().size() ? '?' : status.value()[at + field.size()];
}

template <class Take>
void for_each_number_in(const std::string& directory, Deadline deadline, Take take)
{
    const auto close_directory = [](DIR* open) { (void)::closedir(open); };
    const std::unique_ptr<DIR, decltype(close_directory)> open(::opendir(directory.c_str()), close_directory);
    while (const dirent* entry = open && !deadline.passed() ? ::readdir(open.get()) : nullptr)
        if (parse_number<unsigned>(entry->d_name)) take(directory + '/' + entry->d_name);
}

std::optional<std::string> inode_of_socket(const std::string& descriptor)
{
    constexpr std::string_view prefix = "socket:[";
    char name[64];
    const ssize_t length = ::readlink(descriptor.c_str(), name, sizeof name);
    const std::string_view target(name, length > 0 ? static_cast<std::size_t>(length) : 0);
    if (!target.starts_with(prefix) || !target.ends_with(']')) return std::nullopt;
    return std::string(target.substr(prefix.size(), target.size() - prefix.size() - 1));
}

// A user's own stopped processes could be thousands with thousands of descriptors, and say nothing about a slurmstepd.
bool is_roots(const std::string& process)
{
    struct stat status {};
    return ::stat(process.c_str(), &status) == 0 && status.st_uid == 0;
}

}  // namespace

bool is_hung(const Roots& roots, pid_t pid)
{
    return std::string_view("TtZX").find(state_of(roots.proc + '/' + std::to_string(pid))) != std::string_view::npos;
}

std::vector<std::string> sockets_of_stopped(const Roots& roots, Deadline deadline)
{
    std::vector<std::string> inodes;
    for_each_number_in(roots.proc, deadline, [&](const std::string& process) {
        const char state = is_roots(process) ? state_of(process) : '?';
        if (state != 'T' && state != 't') return;
        for_each_number_in(process + "/fd", deadline, [&](const std::string& descriptor) {
            if (auto inode = inode_of_socket(descriptor)) inodes.push_back(*std::move(inode));
        });
    });
    if (inodes.empty()) return {};
    std::sort(inodes.begin(), inodes.end());

    std::vector<std::string> paths;
    const auto table = read_file(roots.proc + "/net/unix", longest_socket_table);
    if (!table) return paths;
    for (const std::string_view line : split(table.value(), '\n')) {
        // "address: refcount protocol flags type state inode path"
        const std::size_t path = line.find(" /");
        const std::size_t inode = path == std::string_view::npos ? path : line.substr(0, path).rfind(' ');
        if (inode == std::string_view::npos) continue;
        if (std::binary_search(inodes.begin(), inodes.end(), line.substr(inode + 1, path - inode - 1)))
            paths.emplace_back(line.substr(path + 1));
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace slurm_adopt
