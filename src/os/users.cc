// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/users.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>

#include "slurm_adopt/interrupted.h"

namespace slurm_adopt {
namespace {

// Groups of a large site have tens of thousands of members; more than this is not a group.
constexpr std::size_t largest_entry = std::size_t{16} * 1024 * 1024;
constexpr int most_groups = 65536;  // NGROUPS_MAX of Linux

// Calls `look_up(buffer, size)` with a growing buffer; 0 or an errno, ERANGE meaning "larger, please". A name service may
// answer EINTR for reasons of its own, and for ever.
template <class LookUp>
int with_buffer(LookUp look_up)
{
    std::vector<char> buffer(2048);
    for (int interruptions = 0;;) {
        const int error = look_up(buffer.data(), buffer.size());
        if (error == EINTR && ++interruptions < most_interruptions) continue;
        if (error != ERANGE || buffer.size() > largest_entry) return error;
        buffer.resize(buffer.size() * 4);
    }
}

// POSIX lets a lookup say "no such entry" by several numbers (getpwnam(3), ERRORS).
bool means_not_found(int error)
{
    return error == 0 || error == ENOENT || error == ESRCH;
}

}  // namespace

Result<std::optional<User>> find_user(const std::string& name)
{
    std::optional<User> user;
    const int error = with_buffer([&](char* buffer, std::size_t size) {
        passwd entry{};
        passwd* found = nullptr;
        const int result = ::getpwnam_r(name.c_str(), &entry, buffer, size, &found);
        if (found != nullptr) user = User{found->pw_uid, found->pw_gid, found->pw_dir == nullptr ? "" : found->pw_dir};
        return result;
    });
    if (!user && !means_not_found(error)) return system_error("getpwnam", error);
    return user;
}

std::string user_name(uid_t uid)
{
    std::string name;
    (void)with_buffer([&](char* buffer, std::size_t size) {
        passwd entry{};
        passwd* found = nullptr;
        const int result = ::getpwuid_r(uid, &entry, buffer, size, &found);
        if (found != nullptr) name = found->pw_name;
        return result;
    });
    return name.empty() ? std::to_string(uid) : name;
}

Result<bool> in_any_group(const std::string& user, gid_t primary, const std::vector<std::string>& groups)
{
    if (groups.empty()) return false;
    std::vector<gid_t> wanted;
    for (const std::string& name : groups) {
        const int error = with_buffer([&](char* buffer, std::size_t size) {
            group entry{};
            group* found = nullptr;
            const int result = ::getgrnam_r(name.c_str(), &entry, buffer, size, &found);
            if (found != nullptr) wanted.push_back(found->gr_gid);
            return result;
        });
        if (!means_not_found(error)) return system_error("getgrnam", error);
    }

    std::vector<gid_t> memberships(64);
    int count = static_cast<int>(memberships.size());
    while (::getgrouplist(user.c_str(), primary, memberships.data(), &count) < 0) {
        // The count is what would be needed; some NSS modules leave it as it was.
        const int room = std::max(count, 2 * static_cast<int>(memberships.size()));
        if (room > most_groups) return system_error("getgrouplist", E2BIG);
        memberships.resize(static_cast<std::size_t>(room));
        count = room;
    }
    memberships.resize(static_cast<std::size_t>(count));
    return std::any_of(wanted.begin(), wanted.end(), [&](gid_t gid) {
        return std::find(memberships.begin(), memberships.end(), gid) != memberships.end();
    });
}

}  // namespace slurm_adopt
