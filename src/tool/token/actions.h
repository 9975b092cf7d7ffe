// SPDX-License-Identifier: GPL-2.0-or-later
// What the three commands are asked for, and what they do. Each says what it has to say and returns the exit code.
#pragma once

#include <chrono>
#include <string>

#include "command.h"
#include "jwt/claims.h"
#include "jwt/key_file.h"
#include "jwt/mint.h"

namespace slurm_adopt::tool {

struct KeyOptions {
    std::string file;
    jwt::KeyFormat format = jwt::KeyFormat::raw;
    std::string owner = "root";  // the user, besides root, that the file may belong to
};

struct MintOptions {
    std::string user;
    KeyOptions key;
    std::chrono::seconds lifespan = jwt::usual_lifespan;
    std::string user_claim{jwt::usual_user_claim};
    jwt::Detail detail = jwt::Detail::name;
    bool for_shell = false;  // --export
    std::string output;      // empty: stdout
};

struct VerifyOptions {
    std::string input;  // see read_token()
    KeyOptions key;
    std::string user_claim;
    // Clocks that are kept by NTP differ by less; a token of the controller's that is a second ahead is no forgery.
    std::chrono::seconds skew{10};
};

inline constexpr std::chrono::seconds largest_skew{60};

[[nodiscard]] Exit mint_token(const MintOptions& options, const Output& output);
[[nodiscard]] Exit show_token(const std::string& input, const Output& output);
[[nodiscard]] Exit verify_token(const VerifyOptions& options, const Output& output);

// The key that the options name; ErrorCode::refused: there is no such owner.
[[nodiscard]] Result<jwt::Secret> read_key(const KeyOptions& options);

}  // namespace slurm_adopt::tool
