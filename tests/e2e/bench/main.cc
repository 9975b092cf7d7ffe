// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the end-to-end tests; after one that failed, shows what was logged meanwhile.
#include <gtest/gtest.h>

#include <cstdio>
#include <exception>
#include <optional>

#include "cluster.h"

namespace slurm_adopt::e2e {
namespace {

class LogOfFailures : public ::testing::EmptyTestEventListener {
    void OnTestStart(const ::testing::TestInfo&) override { mark_.emplace(); }

    void OnTestEnd(const ::testing::TestInfo& test) override
    {
        if (test.result()->Passed() || !mark_) return;
        const std::vector<std::string> lines = mark_->lines();
        // A storm logs tens of thousands.
        const std::size_t first = lines.size() > most_lines ? lines.size() - most_lines : 0;
        std::printf("The log meanwhile%s:\n", first > 0 ? ", its end" : "");
        for (std::size_t i = first; i < lines.size(); ++i) std::printf("    %s\n", lines[i].c_str());
    }

    static constexpr std::size_t most_lines = 400;
    std::optional<LogMark> mark_;
};

}  // namespace
}  // namespace slurm_adopt::e2e

int main(int argc, char** argv)
{
    ::testing::InitGoogleTest(&argc, argv);
    if (!GTEST_FLAG_GET(list_tests)) {
        try {
            (void)slurm_adopt::e2e::cluster();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
            return 1;
        }
        ::testing::UnitTest::GetInstance()->listeners().Append(new slurm_adopt::e2e::LogOfFailures);
    }
    return RUN_ALL_TESTS();
}
