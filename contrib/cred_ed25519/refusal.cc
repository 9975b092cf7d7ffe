// SPDX-License-Identifier: GPL-2.0-or-later
#include "refusal.h"

namespace slurm_adopt::cred_ed25519 {

// No default: a refusal without a text is a warning of the compiler.
const char* text_of(int number)
{
    switch (static_cast<Refusal>(number)) {
    case Refusal::bad_argument: return "called with an argument that is missing or out of range";
    case Refusal::out_of_memory: return "out of memory";
    case Refusal::crypto_failure: return "OpenSSL failed: does its configuration allow Ed25519?";
    case Refusal::no_path: return "slurm.conf names no key file (JobCredentialPrivateKey, JobCredentialPublicCertificate)";
    case Refusal::cannot_open: return "the key file cannot be opened";
    case Refusal::symbolic_link: return "the key file is a symbolic link: name the file itself";
    case Refusal::no_regular_file: return "the key file is no regular file";
    case Refusal::wrong_owner: return "the key file belongs neither to root nor to SlurmUser";
    case Refusal::private_exposed:
        return "others than its owner have permissions on the private key: chmod 0400, and make a new pair if they could "
               "read it";
    case Refusal::public_writable: return "others than its owner may write the public key: chmod 0644";
    case Refusal::cannot_read: return "the key file cannot be read";
    case Refusal::empty_file: return "the key file is empty";
    case Refusal::too_large: return "the key file is larger than any key: is it the right file?";
    case Refusal::no_pem: return "the key file is not PEM";
    case Refusal::too_many_blocks:
        return "the key file has more PEM blocks than allowed (one private key, or two public ones)";
    case Refusal::passphrase: return "the private key is protected by a passphrase, which a daemon cannot be asked for";
    case Refusal::public_instead: return "a public key where the private one has to be";
    case Refusal::private_instead:
        return "a private key where the public one has to be: take it off this host if it is not slurmctld's";
    case Refusal::other_format:
        return "a PEM block that is neither PKCS#8 (PRIVATE KEY) nor SubjectPublicKeyInfo (PUBLIC KEY)";
    case Refusal::malformed: return "the key in the PEM block is damaged";
    case Refusal::no_ed25519: return "a key of another algorithm than Ed25519";
    case Refusal::unknown_key: return "a key that was not read, or was destroyed";
    case Refusal::needs_private_key: return "signing takes the private key, and this is a public one";
    case Refusal::needs_public_key: return "verifying takes a public key, and this is a private one";
    case Refusal::signature_size: return "the signature has not the 64 bytes of an Ed25519 signature";
    case Refusal::signature_mismatch:
        return "the signature does not verify: signed by another key than this host has the public one of, or changed since";
    }
    return "unknown error";
}

}  // namespace slurm_adopt::cred_ed25519
