// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/monitor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "slurm_adopt/fd.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/session_registry.h"
#include "slurm_adopt/stepd_place.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// The same numbers on all machines; newer than the headers of Debian 11 and EL 8.
constexpr long call_pidfd_open = 434;   // Linux 5.3
constexpr long call_pidfd_getfd = 438;  // Linux 5.6

constexpr std::size_t longest_status = std::size_t{64} * 1024;
// A monitor has about ten descriptors, and two more for each terminal. The client's is one of the first.
constexpr std::size_t most_descriptors = 64;

// A process or a descriptor that is not there any more.
bool is_gone(int error)
{
    return error == ENOENT || error == ESRCH || error == EBADF;
}

std::string link_of(const std::string& path)
{
    char name[4096];
    const ssize_t length = ::readlink(path.c_str(), name, sizeof name);
    return length > 0 ? std::string(name, static_cast<std::size_t>(length)) : std::string();
}

// Real, effective, saved and file system uid. A program that is set-uid has the user's own as its real one.
Result<bool> is_all_root(const std::string& process)
{
    const auto status = read_file(process + "/status", longest_status);
    if (!status) return status.error();
    for (const std::string_view line : split(status.value(), '\n'))
        if (line.starts_with("Uid:")) return line == "Uid:\t0\t0\t0\t0";
    return false;
}

bool is_established(int socket)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_ESTABLISHED;
}

Result<bool> has_connection(int pidfd, const std::string& process, const Connection& own)
{
    const auto descriptors = open_descriptors(process);
    for (std::size_t i = 0; i < std::min(descriptors.size(), most_descriptors); ++i) {
        // By its name first: what lies behind other descriptors is none of ours, and to open it might wait.
        if (!link_of(process + "/fd/" + std::to_string(descriptors[i])).starts_with("socket:[")) continue;
        const Fd socket(static_cast<int>(::syscall(call_pidfd_getfd, pidfd, descriptors[i], 0)));
        if (!socket && errno == EBADF) continue;
        if (!socket) return system_error("pidfd_getfd");
        const auto connection = connection_of(socket.get());
        if (connection && connection->peer.address == own.peer.address && connection->local.port == own.local.port &&
            !(connection->peer == own.peer && connection->local == own.local) && is_established(socket.get()))
            return true;
    }
    return false;
}

// Held by its pidfd, the number is this process's until the end.
Result<std::optional<std::uint64_t>> start_of(int pidfd, const Roots& roots, pid_t pid, const std::vector<CgroupEntry>& step,
                                              const Connection& own, const IsSshd& is_sshd)
{
    const std::string process = roots.proc + '/' + std::to_string(pid);
    // Before anything of it is followed that a user's process could lead to a file server that does not answer.
    const auto root = is_all_root(process);
    if (!root) return root.error();
    if (!root.value() || !is_sshd(process)) return std::optional<std::uint64_t>();
    const auto cgroups = cgroups_of(roots, pid);
    if (!cgroups) return cgroups.error();
    if (!is_inside(cgroups.value(), step)) return std::optional<std::uint64_t>();
    const auto key = session_key(roots.proc, std::to_string(pid));
    if (!key) return key.error();
    if (!key.value()) return std::optional<std::uint64_t>();
    const auto connected = has_connection(pidfd, process, own);
    if (!connected) return connected.error();
    if (!connected.value()) return std::optional<std::uint64_t>();
    return parse_number<std::uint64_t>(std::string_view(*key.value()).substr(key.value()->find('.') + 1));
}

}  // namespace

bool runs_same_program(const std::string& proc, const std::string& process)
{
    const std::string ours = link_of(proc + "/self/exe");
    return !ours.empty() && link_of(process + "/exe") == ours && same_program(proc, process);
}

Result<std::optional<std::uint64_t>> monitor_start(const Roots& roots, pid_t pid, const std::vector<CgroupEntry>& step,
                                                   const Connection& own, const IsSshd& is_sshd)
{
    // Most are the user's own, and need no closer look. A user's process may look like root's here, not the other way.
    struct stat status {};
    if (::stat((roots.proc + '/' + std::to_string(pid)).c_str(), &status) != 0 || status.st_uid != 0)
        return std::optional<std::uint64_t>();
    const Fd pidfd(static_cast<int>(::syscall(call_pidfd_open, pid, 0)));
    if (!pidfd && is_gone(errno)) return std::optional<std::uint64_t>();
    if (!pidfd) return system_error("pidfd_open");
    auto start = start_of(pidfd.get(), roots, pid, step, own, is_sshd);
    if (!start && is_gone(start.error().errno_value)) return std::optional<std::uint64_t>();
    return start;
}

}  // namespace slurm_adopt
