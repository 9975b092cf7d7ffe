// SPDX-License-Identifier: GPL-2.0-or-later
#include "source_node.h"

#include <gtest/gtest.h>

#include <chrono>

namespace slurm_adopt::helper {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view no_hosts_file;

Belongs ask(std::string_view address, const std::vector<std::string>& hosts, std::string_view hosts_file = no_hosts_file)
{
    return belongs_to(parse_address(address).value(), hosts, hosts_file, 5000ms);
}

TEST(SourceNode, NumericAddressesDecideAlone)
{
    EXPECT_EQ(ask("198.51.100.2", {"198.51.100.1", "198.51.100.2"}), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.20", {"198.51.100.1", "198.51.100.2"}), Belongs::no);
    EXPECT_EQ(ask("2001:db8::7", {"198.51.100.1", "2001:DB8:0::0007"}), Belongs::yes);
    EXPECT_EQ(ask("2001:db8::8", {"198.51.100.1", "2001:DB8:0::0007"}), Belongs::no);
    EXPECT_EQ(ask("198.51.100.2", {}), Belongs::no);
}

TEST(SourceNode, AMappedAddressIsTheIpv4One)
{
    EXPECT_EQ(ask("::ffff:198.51.100.2", {"198.51.100.2"}), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.2", {"::ffff:198.51.100.2"}), Belongs::yes);
}

TEST(SourceNode, NamesAreReadFromTheHostsFile)
{
    constexpr std::string_view file =
        "# 198.51.100.9 commented\n"
        "127.0.0.1\tlocalhost\n"
        "198.51.100.1  n1.cluster n1 # n9\n"
        "198.51.100.1 again\r\n"
        "   198.51.100.2\tN2\tn2-ib\n"
        "not-an-address 198.51.100.3 n3\n"
        "\n"
        "198.51.100.4\n"
        "2001:db8::1 n1\n"
        "198.51.100.5 last";
    EXPECT_EQ(ask("198.51.100.1", {"n1"}, file), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.1", {"n1.cluster"}, file), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.1", {"again"}, file), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.2", {"n2", "n1"}, file), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.2", {"N2-IB"}, file), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.5", {"last"}, file), Belongs::yes);
    EXPECT_EQ(ask("2001:db8::1", {"n1"}, file), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.2", {"n1"}, file), Belongs::no);
    EXPECT_EQ(ask("198.51.100.4", {"n1", "n2"}, file), Belongs::no);
}

TEST(SourceNode, WhatTheFileDoesNotHaveIsAskedOfTheResolver)
{
    EXPECT_EQ(ask("127.0.0.1", {"n1", "localhost"}, "198.51.100.1 n1\n"), Belongs::yes);
    EXPECT_EQ(ask("198.51.100.77", {"localhost"}), Belongs::no);
    // The file has the name for the other family only: that is no answer.
    EXPECT_EQ(ask("127.0.0.1", {"localhost"}, "2001:db8::1 localhost\n"), Belongs::yes);
}

TEST(SourceNode, ManyNamesAreAskedTogether)
{
    std::vector<std::string> hosts(500, "localhost");
    EXPECT_EQ(ask("198.51.100.77", hosts), Belongs::no);
    EXPECT_EQ(ask("127.0.0.1", hosts), Belongs::yes);
}

TEST(SourceNode, PatienceEnds)
{
    const auto start = std::chrono::steady_clock::now();
    const Belongs answer = belongs_to(parse_address("198.51.100.77").value(), std::vector<std::string>(200'000, "localhost"),
                                      no_hosts_file, 50ms);
    EXPECT_EQ(answer, Belongs::not_known_in_time);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

}  // namespace
}  // namespace slurm_adopt::helper
