// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/step_socket.h"

#include <algorithm>
#include <tuple>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr unsigned long flag_listening = 0x10000;  // __SO_ACCEPTCON, include/uapi/linux/net.h

// One line: `address: refcount protocol flags type state inode path`. The path if the socket listens.
std::optional<std::string_view> listening_path(std::string_view line)
{
    constexpr int fields_before_flags = 3;
    constexpr int fields_after_flags = 3;
    const auto next_field = [&line]() {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        const std::string_view field = line.substr(0, line.find(' '));
        line.remove_prefix(field.size());
        return field;
    };
    for (int i = 0; i < fields_before_flags; ++i) (void)next_field();
    const std::string_view flags_field = next_field();
    unsigned long flags = 0;
    const char* end = flags_field.data() + flags_field.size();
    const auto [stopped_at, error] = std::from_chars(flags_field.data(), end, flags, 16);
    if (error != std::errc{} || stopped_at != end || (flags & flag_listening) == 0) return std::nullopt;
    for (int i = 0; i < fields_after_flags; ++i) (void)next_field();
    if (line.size() < 2 || line[1] != '/') return std::nullopt;  // unbound, or abstract ('@')
    return line.substr(1);
}

}  // namespace

std::optional<StepSocketView> parse_extern_socket_name(std::string_view file_name)
{
    const std::size_t separator = file_name.rfind('_');
    if (separator == std::string_view::npos || separator == 0) return std::nullopt;
    const std::string_view node = file_name.substr(0, separator);
    const std::string_view rest = file_name.substr(separator + 1);
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos || !rest.substr(dot).starts_with(extern_step_suffix)) return std::nullopt;
    const auto job_id = parse_number<std::uint32_t>(rest.substr(0, dot));
    if (!job_id || *job_id == 0) return std::nullopt;
    const std::string_view component = rest.substr(dot + extern_step_suffix.size());
    if (!component.empty() && (component.front() != '.' || !parse_number<std::uint32_t>(component.substr(1))))
        return std::nullopt;
    return StepSocketView{{}, file_name, node, *job_id};
}

std::optional<StepSocketView> parse_extern_socket_path(std::string_view path)
{
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos || path.front() != '/') return std::nullopt;
    auto socket = parse_extern_socket_name(path.substr(slash + 1));
    if (socket) socket->directory = path.substr(0, slash == 0 ? 1 : slash);
    return socket;
}

StepSocketPath extern_socket_in(const std::string& directory, const std::string& node, std::uint32_t job_id)
{
    return {directory, node + '_' + std::to_string(job_id) + std::string(extern_step_suffix), node, job_id};
}

StepSocketPath own(const StepSocketView& socket)
{
    return {std::string(socket.directory), std::string(socket.file_name), std::string(socket.node), socket.job_id};
}

std::vector<StepSocketPath> parse_listening_extern_sockets(std::string_view proc_net_unix)
{
    std::vector<StepSocketPath> sockets;
    // The table may hold thousands of sockets of other programs: go from one match to the next, not line by line.
    for (std::size_t match = proc_net_unix.find(extern_step_suffix); match != std::string_view::npos;) {
        const std::size_t before = proc_net_unix.rfind('\n', match);
        const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
        const std::size_t end = std::min(proc_net_unix.find('\n', match), proc_net_unix.size());
        match = proc_net_unix.find(extern_step_suffix, end);

        const auto path = listening_path(proc_net_unix.substr(begin, end - begin));
        if (!path) continue;
        if (const auto socket = parse_extern_socket_path(*path)) sockets.push_back(own(*socket));
    }
    sort_and_unite(sockets);
    return sockets;
}

void sort_and_unite(std::vector<StepSocketPath>& sockets)
{
    const auto key = [](const StepSocketPath& socket) { return std::tie(socket.directory, socket.file_name); };
    std::sort(sockets.begin(), sockets.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    sockets.erase(std::unique(sockets.begin(), sockets.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                  sockets.end());
}

}  // namespace slurm_adopt
