// SPDX-License-Identifier: GPL-2.0-or-later
// Why a key, a credential or a signature is refused: this plugin's own range of errno values, and their texts.
#pragma once

#include <string>
#include <variant>

namespace slurm_adopt::cred_ed25519 {

// slurm_errno.h of 22.05 and 23.02 uses nothing from 5300 to 5399; cred/munge and cred/none begin at 5000.
enum class Refusal : int {
    bad_argument = 5300,
    out_of_memory,
    crypto_failure,
    // The key file (key_file.h).
    no_path,
    cannot_open,
    symbolic_link,
    no_regular_file,
    wrong_owner,
    private_exposed,
    public_writable,
    cannot_read,
    empty_file,
    too_large,
    // What is in it (pem.h, key.h).
    no_pem,
    too_many_blocks,
    passphrase,
    public_instead,
    private_instead,
    other_format,
    malformed,
    no_ed25519,
    // The signature (signature.h, key_table.h).
    unknown_key,
    needs_private_key,
    needs_public_key,
    signature_size,
    signature_mismatch,
};

// The sentence for any number, never null: what is none of ours is said to be unknown.
[[nodiscard]] const char* text_of(int number);

struct Refused {
    Refusal why;
    std::string detail;  // what the text cannot know: the owner, the mode, errno's text. Never a part of a key.
};

template <class T>
using OrRefused = std::variant<T, Refused>;

}  // namespace slurm_adopt::cred_ed25519
