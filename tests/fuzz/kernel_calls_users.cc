// SPDX-License-Identifier: GPL-2.0-or-later
// The user database.
#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <string_view>

#include "kernel.h"

using namespace slurm_adopt::fuzz;

namespace {

// What a look-up fails with, if it does. "A larger buffer, please" is said until it is large: megabytes take their time.
int failure(std::initializer_list<int> errnos, size_t size)
{
    constexpr size_t large = 100'000;
    const int error = Kernel::running()->fault(errnos);
    return error == ERANGE && size > large ? 0 : error;
}

struct Known {
    const char* name;
    uid_t uid;
};
constexpr Known people[] = {{"root", 0}, {"toor", 0}, {"alice", alice}, {"bob", bob}, {"dave", 41004}};

}  // namespace

extern "C" {

int __wrap_getpwnam_r(const char* name, passwd* entry, char*, size_t size, passwd** found)
{
    *found = nullptr;
    if (const int error = failure({EIO, EINTR, ERANGE, ENOENT, EMFILE}, size)) return error;
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

int __wrap_getgrnam_r(const char* name, group* entry, char*, size_t size, group** found)
{
    *found = nullptr;
    if (const int error = failure({EIO, EINTR, ERANGE}, size)) return error;
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
