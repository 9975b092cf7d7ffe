// SPDX-License-Identifier: GPL-2.0-or-later
// Tokens (support/signed_token.h), and files with them and with keys.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "support/signed_token.h"

namespace slurm_adopt::token_test {

// A directory of this test's, removed at its end.
class Directory {
public:
    Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

// A new file with this content and mode.
void write_file(const std::string& path, std::string_view content, unsigned mode = 0600);
[[nodiscard]] std::string file_content(const std::string& path);

}  // namespace slurm_adopt::token_test
