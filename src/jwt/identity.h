// SPDX-License-Identifier: GPL-2.0-or-later
// Who a user is, for the claims uid, gid and id, in the form of identities in Slurm's own tokens (auth/slurm). Releases
// whose auth/jwt reads them can serve users that slurmctld does not know (AuthInfo=use_client_ids); 22.05 ignores them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt::jwt {

struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name;
    std::string gecos;
    std::string dir;
    std::string shell;
    std::vector<gid_t> gids;  // the primary group too
};

// From the user database (NSS), which takes as long as it takes. ErrorCode::refused: there is no such user.
[[nodiscard]] Result<Identity> identity_of(const std::string& user);

}  // namespace slurm_adopt::jwt
