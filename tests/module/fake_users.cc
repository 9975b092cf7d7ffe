// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_users.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <string_view>

namespace {

using namespace slurm_adopt::test;

struct Known {
    std::string_view name;
    uid_t uid;
    gid_t gid;
};
constexpr Known people[] = {{"root", 0, 0},          {"toor", 0, 0},           {"alice", alice, 41001},
                            {"bob", bob, 41002},     {"carol", 41003, admins}, {"dave", 41004, 41004},
                            {"large", alice, 41001}, {"many", 41005, 41005}};
constexpr Known groups[] = {{"root", 0, 0}, {"admins", 0, admins}, {"wheel", 0, 50001}};
int interruptions = 0;
std::string home;

}  // namespace

void slurm_adopt::test::set_home(const std::string& path)
{
    home = path;
}

extern "C" {

int getpwnam_r(const char* name, passwd* entry, char*, size_t size, passwd** found)
{
    *found = nullptr;
    const std::string_view wanted = name;
    if (wanted == "broken") return EIO;
    if (wanted == "interrupted" && ++interruptions < 3) return EINTR;
    if (wanted == "always-interrupted") return EINTR;
    if (wanted == "large" && size < 100'000) return ERANGE;
    if (wanted == "endless") return ERANGE;
    for (const Known& each : people) {
        if (each.name != wanted) continue;
        *entry = passwd{};
        entry->pw_uid = each.uid;
        entry->pw_gid = each.gid;
        entry->pw_dir = home.empty() ? nullptr : home.data();
        *found = entry;
    }
    return 0;
}

int getgrnam_r(const char* name, group* entry, char*, size_t, group** found)
{
    *found = nullptr;
    const std::string_view wanted = name;
    if (wanted == "broken-group") return EIO;
    for (const Known& each : groups) {
        if (each.name != wanted) continue;
        *entry = group{};
        entry->gr_gid = each.gid;
        *found = entry;
    }
    return 0;
}

int getgrouplist(const char* name, gid_t primary, gid_t* list, int* count)
{
    const std::string_view user = name;
    const int needed = user == "dave" ? 2 : user == "many" ? 200 : 1;
    const int room = *count;
    *count = needed;
    for (int i = 0; i < needed && i < room; ++i)
        list[i] = i == 0 ? primary : i == needed - 1 ? admins : 60000U + static_cast<gid_t>(i);
    return room < needed ? -1 : needed;
}

}  // extern "C"
