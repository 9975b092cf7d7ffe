// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/discovery.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <utility>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/socket_table.h"

namespace slurm_adopt {
namespace {

// 5,000 sockets with paths are half a MiB; whoever makes more than this wants to exhaust us.
constexpr std::size_t longest_socket_table = std::size_t{64} * 1024 * 1024;
constexpr std::string_view usual_proc = "/proc";

// What of the kernel's list belongs to the node. Sockets that it knows to be a user's go to `planted` at once: their
// paths are not touched.
Result<Discovery> sockets_by_netlink(const std::string& nodename, Deadline deadline, const Wanted& wanted)
{
    Discovery found;
    found.owners_known = true;
    const auto take = [&](const ListeningSocket& listening) {
        const auto socket = parse_extern_socket_path(listening.path);
        if (!socket) return;
        if (listening.owner.value_or(0) != 0) {
            found.planted.emplace_back(listening.path);
            return;
        }
        if (!nodename.empty() && socket->node != nodename) return;
        if (!listening.owner) {
            found.owners_known = false;
        } else if (wanted && !wanted(*socket)) {
            return;
        }
        found.candidates.push_back({own(*socket), 0});
    };
    if (const auto done = listening_unix_sockets(take, deadline); !done) return done.error();
    return found;
}

Result<std::vector<StepSocketPath>> sockets_by_text(const Roots& roots)
{
    auto table = read_file(roots.proc + "/net/unix", longest_socket_table);
    if (!table) return std::move(table).error();
    return parse_listening_extern_sockets(table.value());
}

Result<std::vector<StepSocketPath>> sockets_in(const std::string& directory)
{
    const auto close_directory = [](DIR* open) { (void)::closedir(open); };
    const std::unique_ptr<DIR, decltype(close_directory)> open(::opendir(directory.c_str()), close_directory);
    if (!open) return system_error(directory);
    std::vector<StepSocketPath> sockets;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(open.get());
        if (entry == nullptr) break;
        if (auto socket = parse_extern_socket_name(entry->d_name)) {
            socket->directory = directory;
            sockets.push_back(own(*socket));
        }
    }
    if (errno != 0) return system_error(directory);
    return sockets;
}

}  // namespace

Result<Discovery> discover(const Roots& roots, const std::string& spool_dir, const std::string& nodename, Deadline deadline,
                           const Wanted& wanted)
{
    // Netlink speaks of this process's network namespace, whatever another /proc would say.
    if (spool_dir.empty() && roots.proc == usual_proc)
        if (auto listed = sockets_by_netlink(nodename, deadline, wanted)) return listed;

    auto sockets = spool_dir.empty() ? sockets_by_text(roots) : sockets_in(spool_dir);
    if (!sockets) return std::move(sockets).error();
    Discovery found;
    found.candidates.reserve(sockets.value().size());
    for (StepSocketPath& socket : sockets.value())
        if (nodename.empty() || socket.node == nodename) found.candidates.push_back({std::move(socket), 0});
    return found;
}

Discovery look_at_files(Discovery found)
{
    Discovery seen;
    seen.planted = std::move(found.planted);
    std::sort(found.candidates.begin(), found.candidates.end(), [](const Candidate& a, const Candidate& b) {
        return a.socket.directory < b.socket.directory;
    });
    Fd directory;
    std::string opened;
    std::set<std::pair<dev_t, ino_t>> files;
    const bool lone = found.candidates.size() == 1;
    for (Candidate& candidate : found.candidates) {
        const StepSocketPath& socket = candidate.socket;
        if (!lone && socket.directory != opened) {  // sorted by directory: each is walked to only once
            directory = Fd(::open(socket.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
            opened = socket.directory;
        }
        struct stat status {};
        const int result = lone        ? ::lstat(candidate.path().c_str(), &status)
                           : directory ? ::fstatat(directory.get(), socket.file_name.c_str(), &status, AT_SYMLINK_NOFOLLOW)
                                       : -1;
        if (result != 0) continue;  // ended since, or in another mount namespace: nobody we could talk to
        if (!S_ISSOCK(status.st_mode) || status.st_uid != 0) {
            seen.planted.push_back(candidate.path());
            continue;
        }
        // Bound twice, or listed by a user's symlink to the spool directory: one step must not look like two.
        if (!files.insert({status.st_dev, status.st_ino}).second) continue;
        candidate.socket_mtime_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
        seen.candidates.push_back(std::move(candidate));
    }
    return seen;
}

}  // namespace slurm_adopt
