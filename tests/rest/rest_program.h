// SPDX-License-Identifier: GPL-2.0-or-later
// Runs slurm-adopt-rest as the module does, with a log of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "helper/helper_process.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/helper_wire.h"
#include "support/temp_directory.h"

namespace slurm_adopt::rest::test {

using helper_wire::JobsReply;
using helper_wire::JobsRequest;
using helper_wire::JobsStatus;

// The time that the program is given where a test does not say another.
inline constexpr std::chrono::milliseconds usual_patience{1500};

struct Asked {
    std::string end;  // "exited 0"
    JobsStatus status = JobsStatus::failed;
    std::vector<helper_wire::ControllerJob> jobs;
    std::string log;  // what went to syslog, a line each
    std::chrono::milliseconds took{0};
};

class RestProgram : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    // For alice (1000) on n1, with token_file().
    [[nodiscard]] JobsRequest request_to(const std::string& url) const;
    [[nodiscard]] Asked ask(const JobsRequest& request, const std::vector<std::string>& environment = {}) const;
    [[nodiscard]] Asked ask(const std::string& url) const { return ask(request_to(url)); }
    // What has been logged since the last time.
    [[nodiscard]] std::string log() const;

    [[nodiscard]] const std::string& token() const { return token_; }
    [[nodiscard]] std::string file(const std::string& name, const std::string& content, unsigned mode = 0400) const;
    // Expects a status, that it took less than patience, and words in the only line of the log, of this level.
    static void expect_failure(const Asked& asked, JobsStatus status, const std::string& words, const std::string& level = "err",
                               std::chrono::milliseconds patience = usual_patience);

    slurm_adopt::test::TempDirectory directory_;
    std::string token_;
    Fd log_;
};

void set_text(std::span<char> field, const std::string& text);

// One of alice's jobs on n1, as v0.0.42 tells it.
[[nodiscard]] std::string job_text(unsigned job_id, const std::string& state = "RUNNING");
[[nodiscard]] std::string jobs_text(const std::string& jobs);

}  // namespace slurm_adopt::rest::test
