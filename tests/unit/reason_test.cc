// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/reason.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "unit/all_reasons.h"

namespace slurm_adopt {
namespace {

// Written out once more, by class: adding or moving a reason has to be meant.
const std::map<FailureClass, std::set<std::string>> expected = {
    {FailureClass::none, {"root", "service", "exempt_user", "exempt_group", "one_job", "newest_job", "source_job",
                           "account_job", "current_job", "file_job", "sticky"}},
    {FailureClass::no_jobs, {"no_jobs", "job_starting", "no_extern_step"}},
    {FailureClass::unknown_job, {"unknown_job"}},
    {FailureClass::adopt_failure,
     {"adopt_refused", "adopt_timeout", "adopt_step_ended", "adopt_protocol", "adopt_failed", "adopt_not_inside",
      "adopt_unverifiable", "adopt_foreign_pids", "namespace_join"}},
    {FailureClass::generic_failure, {"internal_error", "sockets_unreadable", "user_lookup", "out_of_memory", "proc_unreadable"}},
    {FailureClass::bad_config, {"bad_option"}},
    {FailureClass::unknown_user, {"unknown_user"}},
};

TEST(Reason, EveryOneHasItsClassAndItsCode)
{
    std::map<FailureClass, std::set<std::string>> found;
    std::set<std::string> codes;
    for (const Reason reason : test::all_reasons) {
        const std::string code(reason_code(reason));
        EXPECT_TRUE(codes.insert(code).second) << code << " stands for two reasons";
        EXPECT_EQ(code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << code;
        found[failure_class(reason)].insert(code);
    }
    EXPECT_EQ(found, expected);
}

TEST(Reason, TheListOfTheTestsIsWhole)
{
    // One after the last is no reason: it is named and classed as nothing else is.
    const auto beyond = static_cast<Reason>(std::size(test::all_reasons));
    EXPECT_EQ(reason_code(beyond), "internal_error");
    EXPECT_EQ(failure_class(beyond), FailureClass::bad_config) << "corrupt memory has to refuse";
}

TEST(Reason, TheZeroValueIsOurFault)
{
    EXPECT_EQ(Reason{}, Reason::internal_error);
}

}  // namespace
}  // namespace slurm_adopt
