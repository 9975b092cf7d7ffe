// SPDX-License-Identifier: GPL-2.0-or-later
// A user database of the test's own (fake_users.cc replaces the functions of libc in the whole program).
#pragma once

#include <sys/types.h>

#include <string>

namespace slurm_adopt::test {

inline constexpr uid_t alice = 41001;
inline constexpr uid_t bob = 41002;
inline constexpr gid_t admins = 50000;  // carol's primary group, one of dave's others

// Where all of them are at home from now on; at first, nowhere: their entries have none.
void set_home(const std::string& path);

// Besides: root and toor (uid 0), "broken" (the database fails), "large" (an entry that needs a larger buffer, uid of
// alice), "many" (in 200 groups, admins the last), the group "broken-group".

}  // namespace slurm_adopt::test
