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

// In doubt it lives: a directory that is kept too long is tidied later, one that is removed too early is lost.
bool has_ended(const std::string& proc, std::string_view registered)
{
    const auto pid = session_pid(registered);
    if (!pid) return true;  // not one of ours
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
    auto stat = read_file(proc + '/' + pid + "/stat", longest_stat);
    if (stat) return parse_session_key(stat.value());
    // ESRCH: it ended between open and read.
    if (stat.error().errno_value == ENOENT || stat.error().errno_value == ESRCH) return std::optional<std::string>();
    return std::move(stat).error();
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
        if (!has_ended(proc, key)) return true;
    return keys.failed();
}

bool drop_ended_sessions(int sessions, const char* user, const std::string& proc)
{
    Listing keys(sessions, user);
    if (!keys) return may_hold_sessions();
    bool others = false;
    while (const char* key = keys.next()) {
        if (has_ended(proc, key))
            (void)::unlinkat(keys.descriptor(), key, 0);
        else
            others = true;
    }
    return others || keys.failed();
}

}  // namespace slurm_adopt
