// SPDX-License-Identifier: GPL-2.0-or-later
// Where slurmrestd is: the option rest_url=.
#pragma once

#include <string>
#include <string_view>

#include "slurm_adopt/result.h"

namespace slurm_adopt::rest {

struct RestUrl {
    std::string base;         // http://HOST[:PORT] or https://HOST[:PORT], to which a path is added
    std::string socket_path;  // of unix:/PATH; then the base is for the request's Host only
    bool is_encrypted = false;
};

// ErrorCode::malformed: anything but the three forms; a user, password, query or fragment; blanks.
[[nodiscard]] Result<RestUrl> parse_rest_url(std::string_view text);

// Whether nobody but root and the owner of the socket could put another one in its place: every directory on the way belongs
// to one of them, and no one else may write to it. Returned is the path without symbolic links, which is what to connect to.
[[nodiscard]] Result<std::string> check_socket_path(const std::string& path);

}  // namespace slurm_adopt::rest
