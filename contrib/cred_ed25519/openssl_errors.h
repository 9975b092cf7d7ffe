// SPDX-License-Identifier: GPL-2.0-or-later
// OpenSSL's queue of errors belongs to the thread, and so to whoever else uses OpenSSL in it: what we put there goes again.
#pragma once

#include <openssl/err.h>

namespace slurm_adopt::cred_ed25519 {

class OpensslErrors {
public:
    OpensslErrors() { (void)::ERR_set_mark(); }
    OpensslErrors(const OpensslErrors&) = delete;
    OpensslErrors& operator=(const OpensslErrors&) = delete;
    ~OpensslErrors() { (void)::ERR_pop_to_mark(); }
};

}  // namespace slurm_adopt::cred_ed25519
