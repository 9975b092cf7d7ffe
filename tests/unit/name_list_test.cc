// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/name_list.h"

#include <gtest/gtest.h>

namespace slurm_adopt {
namespace {

using Names = std::vector<std::string>;

TEST(NameList, OneNameALine)
{
    const std::vector<std::pair<std::string_view, Names>> cases = {
        {"", {}},
        {"\n\n", {}},
        {"# nobody\n", {}},
        {"alice", {"alice"}},
        {"alice\nbob\n", {"alice", "bob"}},
        {"alice\r\nbob\r\n", {"alice", "bob"}},
        {"\xef\xbb\xbf" "alice\n", {"alice"}},
        {"\xef\xbb\xbf# nobody\n", {}},
        {"  alice\t# on call\n\t\n #bob\ncarol #\n", {"alice", "carol"}},
        {"DOM\\user\nuser@realm\nj\xc3\xbcrgen\na#b\n", {"DOM\\user", "user@realm", "j\xc3\xbcrgen", "a#b"}},
    };
    for (const auto& [text, names] : cases) {
        const auto parsed = parse_name_list(text);
        ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.error().context;
        EXPECT_EQ(parsed.value(), names) << text;
    }
}

TEST(NameList, OneLineThatIsNoNameSpoilsAll)
{
    for (const std::string_view line : {"alice bob", "alice,bob", "@other", "a=b", "alice ; x", "a\x01", "a\x7f", "\x0b", "\x1b[2J"}) {
        const auto parsed = parse_name_list("carol\n\n" + std::string(line) + "\nalice\n");
        ASSERT_FALSE(parsed.ok()) << line;
        EXPECT_EQ(parsed.error().code, ErrorCode::malformed);
        EXPECT_TRUE(parsed.error().context.starts_with("line 3 is not one name: '")) << parsed.error().context;
    }
    EXPECT_EQ(parse_name_list(std::string_view("al\0ice", 6)).error().context, "line 1 is not one name: 'al?ice'");
    EXPECT_EQ(parse_name_list("x=\x1b[2J").error().context, "line 1 is not one name: 'x=?[2J'");
}

}  // namespace
}  // namespace slurm_adopt
