// SPDX-License-Identifier: GPL-2.0-or-later
// Key files of every kind, in a directory of their own.
#pragma once

#include <sys/types.h>

#include <string>

#include "support/temp_directory.h"

namespace slurm_adopt::cred_test {

struct Pair {
    std::string private_pem;
    std::string public_pem;
};

// "ED25519", "ED448", "X25519", "RSA", "EC"; PKCS#8 and SubjectPublicKeyInfo.
[[nodiscard]] Pair make_pair(const std::string& algorithm);
// The private key in another format: "passphrase" (encrypted PKCS#8), "traditional" (RSA PRIVATE KEY), "old-passphrase".
[[nodiscard]] std::string private_pem_as(const std::string& format);

class KeyFiles {
public:
    std::string write(const std::string& text, mode_t mode, const std::string& name = "key.pem") const;
    [[nodiscard]] const std::string& path() const { return directory_.path(); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return directory_ / name; }

private:
    test::TempDirectory directory_;
};

}  // namespace slurm_adopt::cred_test
