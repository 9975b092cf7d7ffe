// SPDX-License-Identifier: GPL-2.0-or-later
// PEM (RFC 7468): its blocks as they stand in a file, decoded. OpenSSL's own reader asks the terminal for a passphrase and
// leaves copies of what it has read on the heap; this one can do neither.
#pragma once

#include <string_view>
#include <vector>

#include "key_file.h"

namespace slurm_adopt::cred_ed25519 {

struct PemBlock {
    std::string_view label;  // "PRIVATE KEY"; a part of the text that was read
    Secret der;
};

// The blocks of `text`, at least one and at most `most`. Between them there may be blank space and nothing else.
[[nodiscard]] OrRefused<std::vector<PemBlock>> read_pem(std::string_view text, std::size_t most);

}  // namespace slurm_adopt::cred_ed25519
