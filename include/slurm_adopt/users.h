// SPDX-License-Identifier: GPL-2.0-or-later
// The user database (NSS). These calls take as long as NSS does: sshd has made the same ones just before.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt {

struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home{};  // as the database says; may be empty, or anything
};

// None if there is no such user; an error if the database could not tell.
[[nodiscard]] Result<std::optional<User>> find_user(const std::string& name);

// The name of a uid, or the number where it has none.
[[nodiscard]] std::string user_name(uid_t uid);

// True if `groups` names the user's primary or one of the supplementary groups. A name of no group matches nobody.
[[nodiscard]] Result<bool> in_any_group(const std::string& user, gid_t primary, const std::vector<std::string>& groups);

}  // namespace slurm_adopt
