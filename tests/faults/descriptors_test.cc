// SPDX-License-Identifier: GPL-2.0-or-later
// A descriptor table that is full, but for none, one, two, ... descriptors.
#include <security/pam_appl.h>

#include "host_login.h"
#include "support/fault_table.h"

namespace slurm_adopt::test {
namespace {

constexpr double with_timeout = 2500;  // timeout=1, and a node that is busy with other things

class Descriptors : public NodeTest {};

TEST_F(Descriptors, AreFew)
{
    (void)start(7, {.uid = nobody});
    double longest = 0;
    int refused = 0;
    int left = 0;
    for (bool adopted = false; !adopted; ++left) {
        ASSERT_LT(left, 20) << "never adopted";
        const HostOutcome outcome =
            log_in_on_host({.options = {"strict", "timeout=1"}, .mode = "descriptors=" + std::to_string(left)});
        expect_safe(std::to_string(left) + " left", outcome, with_timeout);
        adopted = outcome.adopted();
        refused += adopted ? 0 : 1;
        longest = std::max(longest, outcome.longest());
        // One more: without any libpam's own report to the kernel's audit fails the stack, whatever modules are in it.
        const HostOutcome root = log_in_on_host({.user = "root", .mode = "descriptors=" + std::to_string(left + 1)});
        ASSERT_EQ(root.calls.size(), 1U);
        EXPECT_EQ(root.calls.front().code, PAM_SUCCESS) << "root, " << left + 1 << " left";
    }
    EXPECT_GE(refused, 1);
    EXPECT_LE(left, 6) << "more descriptors than needed";
    report_fault({"system", "no descriptor is left, one, two, ... until the login succeeds",
                  "refused or adopt one_job; root passes", with_timeout},
                 longest);
}

}  // namespace
}  // namespace slurm_adopt::test
