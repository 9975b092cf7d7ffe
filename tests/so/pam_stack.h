// SPDX-License-Identifier: GPL-2.0-or-later
// A PAM service of the test's own (pam_start_confdir), run through the real libpam.
#pragma once

#include <security/pam_appl.h>

#include <string>
#include <vector>

#include "support/temp_directory.h"

namespace slurm_adopt::test {

struct StackResult {
    int code = PAM_SYSTEM_ERR;
    std::vector<std::string> told;
    std::vector<std::string> environment;
};

class PamStack {
public:
    // Lines of the service file; MODULE stands for the built module's path.
    explicit PamStack(std::vector<std::string> lines, std::string service = "sshd");

    [[nodiscard]] StackResult account(const std::string& user, int flags = 0) const;
    [[nodiscard]] const TempDirectory& directory() const { return directory_; }
    void write(const std::string& name, const std::vector<std::string>& lines) const;

private:
    TempDirectory directory_;
    std::string service_;
};

}  // namespace slurm_adopt::test
