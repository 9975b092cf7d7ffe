// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/node_list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace slurm_adopt::rest {
namespace {

void expect_nodes(const std::string& list, const std::vector<std::string>& yes, const std::vector<std::string>& no)
{
    for (const std::string& node : yes) EXPECT_EQ(find_node(list, node), Listed::yes) << list << " has " << node;
    for (const std::string& node : no) EXPECT_EQ(find_node(list, node), Listed::no) << list << " has no " << node;
}

TEST(NodeList, Names)
{
    expect_nodes("", {}, {"n1", ""});
    expect_nodes("n1", {"n1"}, {"n", "n11", "N1", "1", "", "xn1"});
    expect_nodes("n1,gpu-a.example_b,n3", {"n1", "gpu-a.example_b", "n3"}, {"n2", "gpu-a", "n1,gpu-a.example_b"});
}

TEST(NodeList, Ranges)
{
    expect_nodes("n[1-3]", {"n1", "n2", "n3"}, {"n0", "n4", "n", "n01", "n001", "n11", "n1x"});
    expect_nodes("n[001-003,7],gpu1", {"n001", "n002", "n003", "n7", "gpu1"}, {"n1", "n01", "n0001", "n004", "n07", "n007", "gpu"});
    expect_nodes("n[8-12]", {"n8", "n9", "n10", "n12"}, {"n7", "n08", "n010", "n13", "n1"});
    expect_nodes("n[08-12]", {"n08", "n09", "n10"}, {"n8", "n9", "n008"});
    expect_nodes("n[98-101]", {"n98", "n99", "n100", "n101"}, {"n098", "n102"});
    expect_nodes("n[0]", {"n0"}, {"n", "n00"});
    expect_nodes("n[00-01]", {"n00", "n01"}, {"n0", "n1"});
    expect_nodes("[1-3]", {"1", "3"}, {"4", "n1"});
    expect_nodes("n[999999999999999998-999999999999999999]", {"n999999999999999998"}, {"n9", "n9999999999999999990"});
}

TEST(NodeList, SeveralBrackets)
{
    expect_nodes("r[1-2]s[01-16]", {"r1s01", "r2s16"}, {"r3s01", "r1s17", "r1s1", "r1s", "r12s01"});
    expect_nodes("r[1-2]s[1,3]-ib", {"r1s1-ib", "r2s3-ib"}, {"r1s1", "r1s2-ib", "r1s1-ibx"});
    // Where the first number ends is not always clear.
    expect_nodes("n[1,11][1-111]", {"n11", "n111", "n1111", "n11111"}, {"n1", "n21", "n1112111"});
    expect_nodes("a[1-2],b[3-4]c[5],d", {"a1", "b4c5", "d"}, {"a3", "b5c5", "b4", "c5"});
}

TEST(NodeList, WhatCannotBeRead)
{
    for (const char* list : {",", "n1,", ",n1", "n1,,n2", "n[", "n]", "n[1", "n[]", "n[1-]", "n[-1]", "n[3-1]", "n[a-b]", "n[1,]", "n[,1]", "n[1--2]",
                             "n[1[2]]", "n[0x1]", "n 1", "n\t", "n\n1", "n[1 -2]", "n\x7f", "n\xc3\xa9", "bgl[000x133]", "n[1234567890123456789]"})
        EXPECT_EQ(find_node(list, "n1"), Listed::unreadable) << list;
    // Also behind the node itself: what is half understood is not understood.
    EXPECT_EQ(find_node("n1,n[", "n1"), Listed::unreadable);
}

TEST(NodeList, IsQuickWithHugeLists)
{
    std::string list = "n[";
    while (list.size() < 1'000'000) list += "1-999999999,";
    list += "5]";
    std::string brackets;
    while (brackets.size() < 1'000'000) brackets += "[1-9]";
    const std::string digits(255, '1');
    EXPECT_EQ(find_node(list, "n" + digits.substr(1)), Listed::no);
    EXPECT_EQ(find_node(brackets, digits), Listed::no);
    EXPECT_EQ(find_node(std::string(1'000'000, 'n'), std::string(255, 'n')), Listed::no);
    EXPECT_EQ(find_node("n", std::string(256, 'n')), Listed::no);
}

}  // namespace
}  // namespace slurm_adopt::rest
