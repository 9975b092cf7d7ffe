// SPDX-License-Identifier: GPL-2.0-or-later
#include "jwt/identity.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>

#include "slurm_adopt/interrupted.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::jwt {
namespace {

constexpr std::size_t largest_entry = std::size_t{1024} * 1024;
constexpr std::size_t most_groups = 65536;  // NGROUPS_MAX of Linux

Result<std::vector<gid_t>> groups_of(const std::string& user, gid_t primary)
{
    std::vector<gid_t> groups(64);
    for (;;) {
        int count = static_cast<int>(groups.size());
        if (::getgrouplist(user.c_str(), primary, groups.data(), &count) >= 0) {
            groups.resize(static_cast<std::size_t>(count));
            return groups;
        }
        // The count is what would be needed; some NSS modules leave it as it was.
        const std::size_t room = std::max(static_cast<std::size_t>(std::max(count, 0)), 2 * groups.size());
        if (room > most_groups) return system_error("getgrouplist", E2BIG);
        groups.resize(room);
    }
}

}  // namespace

Result<Identity> identity_of(const std::string& user)
{
    std::vector<char> buffer(2048);
    passwd entry{};
    passwd* found = nullptr;
    int error = 0;
    for (int interruptions = 0;;) {
        error = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
        if (error == EINTR && ++interruptions < most_interruptions) continue;
        if (error != ERANGE || buffer.size() > largest_entry) break;
        buffer.resize(buffer.size() * 4);
    }
    if (found == nullptr && (error == 0 || error == ENOENT || error == ESRCH))
        return Error{ErrorCode::refused, 0, "there is no user " + printable(user) + " here"};
    if (found == nullptr) return system_error("look up " + printable(user), error);

    Identity identity{found->pw_uid, found->pw_gid, found->pw_name, found->pw_gecos, found->pw_dir, found->pw_shell, {}};
    auto gids = groups_of(identity.name, identity.gid);
    if (!gids) return std::move(gids).error();
    identity.gids = std::move(gids).value();
    return identity;
}

}  // namespace slurm_adopt::jwt
