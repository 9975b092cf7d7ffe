// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace slurm_adopt {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Text, ParseNumberTakesTheWholeTextOrNothing)
{
    EXPECT_EQ(parse_number<std::uint32_t>("0"), 0U);
    EXPECT_EQ(parse_number<std::uint32_t>("4294967295"), std::numeric_limits<std::uint32_t>::max());
    EXPECT_EQ(parse_number<std::uint8_t>("255"), 255);
    for (const char* wrong : {"", " ", " 1", "1 ", "+1", "-1", "-0", "0x1", "1e3", "1.0", "a", "1a", "4294967296",
                              "99999999999999999999999999", "\t1", "1\n", "\xd9\xa1"})
        EXPECT_EQ(parse_number<std::uint32_t>(wrong), std::nullopt) << '"' << wrong << '"';
    EXPECT_EQ(parse_number<std::uint8_t>("256"), std::nullopt);
    EXPECT_EQ(parse_number<std::uint32_t>(std::string_view("1\0", 2)), std::nullopt);
    EXPECT_EQ(parse_number<std::uint32_t>(std::string_view{}), std::nullopt);
}

TEST(Text, SplitKeepsEmptyParts)
{
    EXPECT_EQ(split("a,,b", ','), (Parts{"a", "", "b"}));
    EXPECT_EQ(split("", ','), Parts{""});
    EXPECT_EQ(split(",", ','), (Parts{"", ""}));
    EXPECT_EQ(split("a", ','), Parts{"a"});
    EXPECT_EQ(split("a,", ','), (Parts{"a", ""}));
    EXPECT_EQ(split("a b", ','), Parts{"a b"});
}

TEST(Text, LogValueKeepsOnlyPrintableAsciiWithoutSpaceAndEquals)
{
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text(1, static_cast<char>(byte));
        const bool kept = byte > ' ' && byte < 0x7f && byte != '=';
        EXPECT_EQ(log_value(text), kept ? text : "?") << byte;
    }
    EXPECT_EQ(log_value(""), "-");
    EXPECT_EQ(log_value("a b=c\nd\x1b[31m\xc3\xa9"), "a?b?c?d?[31m??");
    EXPECT_EQ(log_value(std::string(1000, 'x')), std::string(256, 'x'));
    EXPECT_EQ(log_value(std::string(256, ' ')), std::string(256, '?'));
}

TEST(Text, PrintableKeepsSpacesButNoControlCharacter)
{
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text(1, static_cast<char>(byte));
        EXPECT_EQ(printable(text), byte >= ' ' && byte < 0x7f ? text : "?") << byte;
    }
    EXPECT_EQ(printable(""), "");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
    EXPECT_EQ(printable("%s%n"), "%s%n");  // harmless: never used as a format
    EXPECT_EQ(printable(std::string(257, 'x')).size(), 256U);
    EXPECT_EQ(printable(std::string(257, '\n'), 300), std::string(257, '?'));
    EXPECT_EQ(printable("abc", 2), "ab");
}

TEST(Text, IsPrintableRefusesControlCharactersOnly)
{
    for (int byte = 0; byte < 256; ++byte)
        EXPECT_EQ(is_printable(std::string(1, static_cast<char>(byte))), byte >= ' ' && byte != 0x7f) << byte;
    EXPECT_TRUE(is_printable(""));
    EXPECT_TRUE(is_printable(std::string(10000, 'x')));
    EXPECT_FALSE(is_printable(std::string(10000, 'x') + '\n')) << "to the last byte";
}

}  // namespace
}  // namespace slurm_adopt
