// SPDX-License-Identifier: GPL-2.0-or-later
// What slurmrestd is shown: a JSON Web Token, and whose it is.
#pragma once

#include <cstdint>
#include <string>

#include "slurm_adopt/result.h"

namespace slurm_adopt::rest {

struct Credential {
    std::string user;   // for X-SLURM-USER-NAME
    std::string token;  // characters of tokens only
};

// The token of a file: one line, with or without the prefix SLURM_JWT= of `scontrol token`. It is not verified, which its
// key only could; but one that has expired by `now`, this machine's clock, is refused here. Where no `user` is named it is
// the one that the token names, if it does, and root otherwise. The file has to be root's, and nobody else's to read.
[[nodiscard]] Result<Credential> read_token(const std::string& file, const std::string& user, std::int64_t now);

// A token of a few minutes, signed with the key of a file (read_key_file(), raw); `user` is root where none is named. The
// key is overwritten before this returns.
[[nodiscard]] Result<Credential> mint_token(const std::string& key_file, const std::string& user, std::int64_t now);

// The certificates of a file in PEM, which has to be root's, and nobody else's to write.
[[nodiscard]] Result<std::string> read_certificates(const std::string& file);

}  // namespace slurm_adopt::rest
