// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slurm_adopt::tool {
namespace {

TEST(ToolOutput, ColoursOnlyWhereTheyAreWanted)
{
    Output output;
    EXPECT_EQ(output.coloured(Colour::bad, "FAIL"), "FAIL");
    output.colours = true;
    EXPECT_EQ(output.coloured(Colour::bad, "FAIL"), "\033[31mFAIL\033[0m");
    EXPECT_EQ(output.coloured(Colour::none, "text"), "text");
}

TEST(ToolOutput, WhatIsNoUtf8IsReplaced)
{
    ::testing::internal::CaptureStdout();
    Output{}.document({{"path", "/tmp/\xff"}});
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "{\n  \"path\": \"/tmp/\xef\xbf\xbd\"\n}\n");
}

TEST(ToolOutput, AnErrorIsOneSafeLine)
{
    ::testing::internal::CaptureStderr();
    Output{}.error("no such user: a\033[2J\nb");
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(text.find('\033'), std::string::npos);
    EXPECT_EQ(text.find('\n'), text.size() - 1);
}

}  // namespace
}  // namespace slurm_adopt::tool
