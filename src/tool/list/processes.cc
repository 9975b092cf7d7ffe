// SPDX-License-Identifier: GPL-2.0-or-later
#include "processes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <set>

#include "slurm_adopt/asked_child.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/interrupted.h"
#include "slurm_adopt/mount_table.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::tool {
namespace {

constexpr std::size_t longest_procs = std::size_t{16} * 1024 * 1024;
constexpr std::size_t longest_stat = 4096;
constexpr std::size_t longest_command = std::size_t{4} * 1024 * 1024;
constexpr std::chrono::seconds patience{1};  // with one process

struct Found {
    pid_t parent = 0;
    std::string command;
    std::int64_t since_ns = 0;
};

// What /proc tells only when the process lets it: who becomes another program with a file system of his own behind it keeps all
// readers of both files waiting (Linux 6.18), as a page of his own does the readers of the second. So a child reads them.
struct Reading {
    const char* stat_path;
    const char* command_path;

    int operator()(int out, int) const noexcept
    {
        char stat[longest_stat];
        std::size_t size = 0;
        if (const int error = read_whole(stat_path, stat, size); error != 0) return error;
        if (const int error = write_answer(out, reinterpret_cast<const char*>(&size), sizeof size); error != 0) return error;
        if (const int error = write_answer(out, stat, size); error != 0) return error;
        const Fd command(::open(command_path, O_RDONLY | O_CLOEXEC));
        return command ? copy_answer(out, command.get(), longest_command) : errno;
    }

private:
    static int read_whole(const char* path, char (&text)[longest_stat], std::size_t& size) noexcept
    {
        const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
        if (!fd) return errno;
        while (size < longest_stat) {
            const ssize_t got = uninterrupted([&] { return ::read(fd.get(), text + size, longest_stat - size); });
            if (got < 0) return errno;
            if (got == 0) return 0;
            size += static_cast<std::size_t>(got);
        }
        return 0;
    }
};

std::string command_of(std::string_view line, const std::string& name)
{
    std::string text(line);
    std::replace(text.begin(), text.end(), '\0', ' ');
    while (text.ends_with(' ')) text.pop_back();
    return text.empty() ? '[' + name + ']' : text;
}

// What is told of every process (proc_pid_status(5)).
std::optional<Found> look_from_afar(const Roots& roots, pid_t pid)
{
    const auto text = read_file(roots.proc + '/' + std::to_string(pid) + "/status", longest_stat);
    if (!text) return std::nullopt;
    std::string name;
    std::optional<unsigned> parent;
    for (std::string_view line : split(text.value(), '\n')) {
        if (line.starts_with("Name:\t") && name.empty()) name = line.substr(6);
        if (line.starts_with("PPid:\t")) parent = parse_number<unsigned>(line.substr(6));
    }
    if (!parent) return std::nullopt;
    return Found{static_cast<pid_t>(*parent), command_of("", name), 0};
}

std::optional<Found> look_at(const Roots& roots, pid_t pid, std::int64_t boot_ns, Deadline deadline)
{
    const std::string directory = roots.proc + '/' + std::to_string(pid);
    const std::string stat_path = directory + "/stat";
    const std::string command_path = directory + "/cmdline";
    if (deadline.passed()) return look_from_afar(roots, pid);
    const auto answer = ask_child(Reading{stat_path.c_str(), command_path.c_str()}, -1, -1, nullptr,
                                  sizeof(std::size_t) + longest_stat + longest_command,
                                  deadline.sooner(Deadline::after(patience)));
    if (!answer) return look_from_afar(roots, pid);  // it hangs, or has ended since
    const std::string_view bytes = answer.value().bytes;
    std::size_t size = 0;
    if (bytes.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    if (size > bytes.size() - sizeof size) return std::nullopt;
    const auto stat = parse_stat(bytes.substr(sizeof size, size));
    if (!stat) return std::nullopt;
    const std::int64_t tick = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
    return Found{stat->parent, command_of(bytes.substr(sizeof size + size), stat->name),
                 boot_ns + static_cast<std::int64_t>(stat->start_ticks) * tick};
}

// The hierarchy by which steps are told apart: cgroup v2, or the freezer.
std::optional<std::string> directory_of(const std::string& mountinfo, const std::vector<CgroupEntry>& step)
{
    for (const CgroupEntry& entry : step)
        if (entry.controllers.empty() || entry.controllers == "freezer") return cgroup_directory(mountinfo, entry);
    return std::nullopt;
}

}  // namespace

std::optional<ProcessStat> parse_stat(std::string_view text)
{
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
    std::string_view rest = text.substr(close + 1);
    while (!rest.empty() && (rest.back() == '\n' || rest.back() == ' ')) rest.remove_suffix(1);
    if (!rest.empty()) rest.remove_prefix(1);
    const auto fields = split(rest, ' ');
    constexpr std::size_t ppid = 4 - 3;  // the fields count from 1, and the first two are before
    constexpr std::size_t starttime = 22 - 3;
    if (fields.size() <= starttime) return std::nullopt;
    const auto parent = parse_number<unsigned>(fields[ppid]);
    const auto start = parse_number<std::uint64_t>(fields[starttime]);
    if (!parent || !start) return std::nullopt;
    return ProcessStat{std::string(text.substr(open + 1, close - open - 1)), static_cast<pid_t>(*parent), *start};
}

Result<std::vector<pid_t>> pids_below(const std::string& directory)
{
    std::vector<pid_t> pids;
    const auto add = [&pids](const std::string& cgroup) -> Result<Done> {
        const auto text = read_file(cgroup + "/cgroup.procs", longest_procs);
        if (!text) return text.error();
        for (std::string_view line : split(text.value(), '\n'))
            if (const auto pid = parse_number<unsigned>(line); pid && *pid != 0) pids.push_back(static_cast<pid_t>(*pid));
        return Done{};
    };
    if (auto done = add(directory); !done) return std::move(done).error();
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error))
        if (entry->is_directory(error)) (void)add(entry->path());  // one that is gone since has nobody
    std::sort(pids.begin(), pids.end());
    pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
    return pids;
}

Result<std::vector<Process>> adopted_processes(const Roots& roots, const std::string& mountinfo,
                                               const std::vector<CgroupEntry>& step, pid_t slurmstepd, std::int64_t boot_ns,
                                               Deadline deadline)
{
    const auto directory = directory_of(mountinfo, step);
    if (!directory) return Error{ErrorCode::malformed, 0, "its step_extern cgroup is not to be found"};
    auto pids = pids_below(*directory);
    if (!pids) return std::move(pids).error();
    std::map<pid_t, Found> found;
    for (const pid_t pid : pids.value())
        if (auto process = look_at(roots, pid, boot_ns, deadline); process && pid != slurmstepd && process->parent != slurmstepd)
            found.emplace(pid, *std::move(process));

    std::vector<Process> processes;
    for (auto& [pid, process] : found) {
        pid_t top = pid;
        std::set<pid_t> seen;
        for (auto at = found.find(pid); at != found.end() && seen.insert(at->first).second;
             at = found.find(at->second.parent))
            top = at->first;
        processes.push_back({pid, process.parent, top, process.command, process.since_ns});
    }
    return processes;
}

std::int64_t boot_time()
{
    std::timespec now{};
    std::timespec since_boot{};
    (void)::clock_gettime(CLOCK_REALTIME, &now);
    (void)::clock_gettime(CLOCK_BOOTTIME, &since_boot);
    return (std::int64_t{now.tv_sec} - since_boot.tv_sec) * 1'000'000'000 + (now.tv_nsec - since_boot.tv_nsec);
}

}  // namespace slurm_adopt::tool
