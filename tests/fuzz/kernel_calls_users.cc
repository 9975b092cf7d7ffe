// SPDX-License-Identifier: GPL-2.0-or-later
// The user database.
#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <string_view>

#include "kernel.h"

using namespace slurm_adopt::fuzz;

namespace {

struct Known {
    const char* name;
    uid_t uid;
};
constexpr Known people[] = {{"root", 0}, {"toor", 0}, {"alice", alice}, {"bob", bob}, {"dave", 41004}};

}  // namespace

extern "C" {

int __wrap_getpwnam_r(const char* name, passwd* entry, char*, size_t, passwd** found)
{
    *found = nullptr;
    if (const int error = Kernel::running()->fault({EIO, EINTR, ERANGE, ENOENT, EMFILE})) return error;
    if (std::string_view(name) == "broken") return EIO;
    for (const Known& each : people) {
        if (std::string_view(name) != each.name) continue;
        *entry = passwd{};
        entry->pw_uid = each.uid;
        entry->pw_gid = each.uid;
        *found = entry;
    }
    return 0;
}

int __wrap_getpwuid_r(uid_t uid, passwd* entry, char*, size_t, passwd** found)
{
    static char name[] = "al=ice\n";
    *found = nullptr;
    if (const int error = Kernel::running()->fault({EIO, EINTR})) return error;
    if (uid != alice) return 0;
    *entry = passwd{};
    entry->pw_name = name;
    *found = entry;
    return 0;
}

int __wrap_getgrnam_r(const char* name, group* entry, char*, size_t, group** found)
{
    *found = nullptr;
    if (const int error = Kernel::running()->fault({EIO, EINTR, ERANGE})) return error;
    if (std::string_view(name) == "broken-group") return EIO;
    if (std::string_view(name) != "admins") return 0;
    *entry = group{};
    entry->gr_gid = admins;
    *found = entry;
    return 0;
}

int __wrap_getgrouplist(const char* name, gid_t primary, gid_t* list, int* count)
{
    const bool is_admin = std::string_view(name) == "dave";
    const int needed = is_admin ? 100 : 1;  // more than fit at first
    const int room = *count;
    *count = needed;
    for (int i = 0; i < needed && i < room; ++i) list[i] = i == 0 ? primary : i == needed - 1 ? admins : 60000U;
    return room < needed ? -1 : needed;
}
}
