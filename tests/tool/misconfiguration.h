// SPDX-License-Identifier: GPL-2.0-or-later
// One thing wrong with a node that is else set up right, the check that has to find it, and its fix. The tests of a seed are in
// check_test.cc; each file instantiates them with seeds of its own.
#pragma once

#include <cstdlib>
#include <functional>
#include <ostream>

#include "fake_node.h"

namespace slurm_adopt::tool {

struct Seed {
    const char* name;
    const char* check;
    Status status;
    const char* seen;  // a part of it
    std::function<void(FakeNode&)> break_it;
    const char* fix;  // a part of it
    std::function<void(FakeNode&, const Finding&)> follow;
};

inline void run_fix(FakeNode&, const Finding& finding)
{
    EXPECT_EQ(std::system(finding.fix.c_str()), 0) << finding.fix;  // NOLINT(cert-env33-c): the fix is a command
}

class Misconfiguration : public ::testing::TestWithParam<Seed> {};

inline std::string name_of_seed(const ::testing::TestParamInfo<Seed>& info)
{
    return info.param.name;
}

inline void PrintTo(const Seed& seed, std::ostream* stream)
{
    *stream << seed.name;
}

}  // namespace slurm_adopt::tool
