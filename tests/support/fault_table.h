// SPDX-License-Identifier: GPL-2.0-or-later
// The rows of doc/faults.md: what goes wrong, what the login has to come to, how long that may take, how long it took.
// Every test of a fault ends with report_fault(); tests/faults/table.sh gathers the rows of a run and writes the page.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace slurm_adopt::test {

struct FaultRow {
    const char* part = "";  // "slurmstepd", "system", "storm", "attacker"
    std::string fault;      // a few words
    std::string expected;   // as in the log: "adopt one_job", "deny adopt_timeout", or a few words
    double bound_ms = 0;    // of the module's call, or of what the row says; 0: none
};

// Checks the bound, and appends "part TAB fault TAB expected TAB bound TAB measured TAB test" to the file that
// $SLURM_ADOPT_FAULT_ROWS names. Call it only where the outcome was as expected: after the checks, not before.
inline void report_fault(const FaultRow& row, double measured_ms)
{
    if (row.bound_ms > 0) {
        EXPECT_LE(measured_ms, row.bound_ms) << row.part << ": " << row.fault;
    }
    const char* path = std::getenv("SLURM_ADOPT_FAULT_ROWS");
    if (path == nullptr || testing::Test::HasFailure()) return;
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    char numbers[64];
    (void)std::snprintf(numbers, sizeof numbers, "\t%g\t%.2f\t", row.bound_ms, measured_ms);
    const std::string line = std::string(row.part) + '\t' + row.fault + '\t' + row.expected + numbers +
                             test->test_suite_name() + '.' + test->name() + '\n';
    const int fd = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    // One write: many processes report at once.
    EXPECT_EQ(::write(fd, line.data(), line.size()), static_cast<ssize_t>(line.size())) << path;
    (void)::close(fd);
}

}  // namespace slurm_adopt::test
