// SPDX-License-Identifier: GPL-2.0-or-later
// A wall clock that jumps, to and fro: no deadline hangs on it. (The clock of the machine is left alone: jumping_clock.cc.)
#include <fstream>

#include "host_login.h"
#include "preload.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

// Nothing is waited for.
constexpr double bound_ms = 1000;
// timeout=1, and a node that is busy with other things.
constexpr double with_timeout = 2500;

class Clocks : public NodeTest {};

TEST_F(Clocks, TheWallClockJumps)
{
    const std::string file = spool_ / "walk";
    for (const char* step : {"31536000", "-31536000"}) {
        const std::vector<std::string> environment = {
            std::string(clock_jump) + '=' + step, std::string(walk_file) + '=' + file, std::string(longest_wait) + "=1001"};
        Node node;
        (void)node.start(7, {.uid = nobody});
        const HostOutcome adopted = log_in_on_host({.mode = "session", .environment = environment});
        EXPECT_TRUE(adopted.adopted()) << adopted.text();
        report_fault({"system", "the wall clock jumps a year with each look, to and fro", "adopt one_job", bound_ms},
                     adopted.longest());

        Node hung;
        (void)hung.start(8, {.uid = nobody, .moves = false, .fault = Fault::hang, .at = Step::adopt});
        node.stepds.clear();
        const HostOutcome refused = log_in_on_host({.options = {"strict", "timeout=1"}, .environment = environment});
        expect_safe("a hung one", refused, with_timeout);
        EXPECT_GE(refused.longest(), 990) << "a deadline that a jump of the wall clock has ended";
        report_fault({"system", "the wall clock jumps, and the slurmstepd hangs", "refused at the deadline", with_timeout},
                     refused.longest());
    }
    // The proof behind it: the module does not even look.
    std::ifstream lines(file);
    int looks = 0;
    int walked = 0;
    for (std::string line; std::getline(lines, line); ++walked)
        if (line.starts_with("pam_slurm_adopt.so wall-clock")) ++looks;
    EXPECT_GT(walked, 50);
    EXPECT_EQ(looks, 0);
}

}  // namespace
}  // namespace slurm_adopt::test
