// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/session_registry.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "slurm_adopt/directory.h"
#include "slurm_adopt/file.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr std::size_t longest_stat = 4096;
constexpr std::size_t longest_status = std::size_t{1024} * 1024;  // with 65536 groups; a longer one would pass for root's

// The real uid of a process none of whose four ids is root's; 0 of any other, and where that cannot be told.
uid_t user_of(const Fd& process)
{
    const Fd file(::openat(process.get(), "status", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    const auto status = file ? read_open_file(file, "status", longest_status) : Result<std::string>(system_error("status"));
    if (!status) return 0;
    for (const std::string_view line : split(status.value(), '\n')) {
        if (!line.starts_with("Uid:\t")) continue;
        const auto ids = split(line.substr(5), '\t');
        for (const std::string_view id : ids)
            if (parse_number<uid_t>(id).value_or(0) == 0) return 0;
        return ids.empty() ? 0 : parse_number<uid_t>(ids.front()).value_or(0);
    }
    return 0;
}

Fd open_process(const std::string& proc, const std::string& pid)
{
    return Fd(::open((proc + '/' + pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// In doubt it lives: a directory that is kept too long is tidied later, one that is removed too early is lost.
bool has_ended(const std::string& proc, const char* user, std::string_view registered)
{
    const auto pid = session_pid(registered);
    if (!pid) return true;  // not one of ours
    if (const Fd process = open_process(proc, std::to_string(*pid)))
        if (const uid_t uid = user_of(process); uid != 0) return std::to_string(uid) != user;
    const auto key = session_key(proc, std::to_string(*pid));
    return key && key.value() != registered;
}

// Neither a link nor a file can hold sessions; what cannot be opened otherwise may. Reads errno.
bool may_hold_sessions()
{
    return errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
}

}  // namespace

Result<std::optional<std::string>> parse_session_key(std::string_view stat)
{
    // 1 (name) S 0 ...: the name is the process's own choice, with ')' and spaces if it likes.
    constexpr std::size_t state_field = 0;
    constexpr std::size_t start_time_field = 19;  // 22 of proc(5), which counts from 1 and the two before
    const std::size_t name_end = stat.rfind(") ");
    if (name_end == std::string_view::npos) return Error{ErrorCode::malformed, 0, "stat: no name"};
    const auto fields = split(stat.substr(name_end + 2), ' ');
    const auto pid = parse_number<std::uint32_t>(stat.substr(0, stat.find(' ')));
    if (fields.size() <= start_time_field || !pid || !parse_number<std::uint64_t>(fields[start_time_field]))
        return Error{ErrorCode::malformed, 0, "stat: no pid or start time"};
    if (fields[state_field] == "Z" || fields[state_field] == "X") return std::optional<std::string>();
    return std::optional(std::to_string(*pid) + '.' + std::string(fields[start_time_field]));
}

Result<std::optional<std::string>> session_key(const std::string& proc, const std::string& pid)
{
    const auto failed = [](Error error) -> Result<std::optional<std::string>> {
        // ESRCH: it ended between open and read.
        if (error.errno_value == ENOENT || error.errno_value == ESRCH) return std::optional<std::string>();
        return error;
    };
    const std::string name = proc + '/' + pid;
    const Fd process = open_process(proc, pid);
    if (!process) return failed(system_error(name));
    // Who opens sessions is root, if only by one of its ids. A user's process, which may have the number of one that has ended,
    // keeps its stat from being read for as long as the user likes: see hung.h.
    if (pid != "self" && user_of(process) != 0) return std::optional<std::string>();
    const Fd file(::openat(process.get(), "stat", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file) return failed(system_error(name + "/stat"));
    auto stat = read_open_file(file, name + "/stat", longest_stat);
    if (!stat) return failed(std::move(stat).error());
    return parse_session_key(stat.value());
}

std::optional<std::uint32_t> session_pid(std::string_view key)
{
    const std::size_t dot = key.find('.');
    if (dot == std::string_view::npos || !parse_number<std::uint64_t>(key.substr(dot + 1))) return std::nullopt;
    return parse_number<std::uint32_t>(key.substr(0, dot));
}

Result<bool> register_session(int sessions, const std::string& user, const std::string& key)
{
    auto directory = make_own_directory(sessions, user.c_str(), 0700);
    if (!directory) return std::move(directory).error();
    const Fd file(
        ::openat(directory.value().get(), key.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file && errno != EEXIST) return system_error(key);
    return static_cast<bool>(file);
}

void unregister_session(int sessions, const std::string& user, const std::string& key)
{
    const Fd directory(::openat(sessions, user.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory) (void)::unlinkat(directory.get(), key.c_str(), 0);
}

bool has_sessions(int sessions, const char* user)
{
    Listing keys(sessions, user);
    if (!keys) return may_hold_sessions();
    return keys.next() != nullptr || keys.failed();
}

bool has_living_session(int sessions, const char* user, const std::string& proc)
{
    Listing keys(sessions, user);
    if (!keys) return may_hold_sessions();
    while (const char* key = keys.next())
        if (!has_ended(proc, user, key)) return true;
    return keys.failed();
}

bool drop_ended_sessions(int sessions, const char* user, const std::string& proc)
{
    Listing keys(sessions, user);
    if (!keys) return may_hold_sessions();
    bool others = false;
    while (const char* key = keys.next()) {
        if (has_ended(proc, user, key))
            (void)::unlinkat(keys.descriptor(), key, 0);
        else
            others = true;
    }
    return others || keys.failed();
}

}  // namespace slurm_adopt
