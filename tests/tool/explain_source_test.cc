// SPDX-License-Identifier: GPL-2.0-or-later
#include "explain/source.h"

#include <gtest/gtest.h>

#include "support/temp_directory.h"

namespace slurm_adopt::tool {
namespace {

Address address(const char* text)
{
    return parse_address(text).value();
}

TEST(ExplainFrom, AddressesWithAndWithoutAPort)
{
    EXPECT_EQ(parse_from("198.51.100.7"), (From{address("198.51.100.7"), {}}));
    EXPECT_EQ(parse_from("198.51.100.7:40022"), (From{address("198.51.100.7"), 40022}));
    EXPECT_EQ(parse_from("2001:db8::7"), (From{address("2001:db8::7"), {}}));
    EXPECT_EQ(parse_from("[2001:db8::7]:22"), (From{address("2001:db8::7"), 22}));
    for (const char* wrong : {"", "node7", "node7:22", "198.51.100.7:", "198.51.100.7:0", "198.51.100.7:65536",
                              "198.51.100.7:ssh", "[198.51.100.7]:22", "[2001:db8::7]", "198.51.100.7:22 ", "fe80::1%eth0"})
        EXPECT_FALSE(parse_from(wrong)) << wrong;
}

TEST(ExplainFrom, TheSessionsOwnConnection)
{
    const auto connection = parse_ssh_connection("198.51.100.7 40022 198.51.100.1 22");
    ASSERT_TRUE(connection);
    EXPECT_EQ(connection->peer, (Endpoint{address("198.51.100.7"), 40022}));
    EXPECT_EQ(connection->local, (Endpoint{address("198.51.100.1"), 22}));
    EXPECT_EQ(source_of_session("198.51.100.7 40022 198.51.100.1 22").remote_host, "198.51.100.7");
    for (const char* wrong :
         {"", "UNKNOWN 65535 UNKNOWN 65535", "198.51.100.7 40022 198.51.100.1", "198.51.100.7 0 198.51.100.1 22"}) {
        EXPECT_FALSE(parse_ssh_connection(wrong)) << wrong;
        EXPECT_FALSE(source_of_session(wrong).connection) << wrong;
        EXPECT_NE(source_of_session(wrong).note, "") << wrong;
    }
    EXPECT_NE(source_of_session(nullptr).note.find("SSH_CONNECTION"), std::string::npos);
}

constexpr const char* header =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
// 198.51.100.1:22 and clients at 198.51.100.7.
constexpr const char* first = "   0: 016433C6:0016 076433C6:9C56 01 00000000:00000000 02:000A 00000000 0 0 4242 2 0\n";
constexpr const char* second = "   1: 016433C6:0016 076433C6:9C57 01 00000000:00000000 02:000A 00000000 0 0 4243 2 0\n";
constexpr const char* listening = "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:0000 00000000 0 0 4244 1 0\n";
constexpr const char* outgoing = "   3: 016433C6:B001 076433C6:1AA2 01 00000000:00000000 02:000A 00000000 0 0 4245 2 0\n";
// The same client of a listener on `::`.
constexpr const char* mapped =
    "   0: 0000000000000000FFFF0000016433C6:0016 0000000000000000FFFF0000076433C6:9C58 01 0:0 0:0 0 0 0 4246\n";

class ExplainSource : public testing::Test {
protected:
    Source from(const char* text) const { return source_of(proc_.path(), parse_from(text).value()); }
    void tcp(const std::string& lines) const { (void)proc_.write("net/tcp", header + lines); }

    test::TempDirectory proc_;
};

TEST_F(ExplainSource, TheConnectionThatIsOpen)
{
    tcp(std::string(listening) + first + outgoing);
    const Source source = from("198.51.100.7");
    ASSERT_TRUE(source.connection) << source.note;
    EXPECT_EQ(source.connection->peer, (Endpoint{address("198.51.100.7"), 0x9c56}));
    EXPECT_EQ(source.connection->local, (Endpoint{address("198.51.100.1"), 22}));
    EXPECT_EQ(source.remote_host, "198.51.100.7");
}

TEST_F(ExplainSource, OfSeveralThePortNamesOne)
{
    tcp(std::string(first) + second);
    const Source any = from("198.51.100.7");
    EXPECT_FALSE(any.connection);
    ASSERT_TRUE(any.client) << "from where, and to which port, is known all the same";
    EXPECT_EQ(any.client->peer.address, address("198.51.100.7"));
    EXPECT_EQ(any.client->local.port, 22);
    EXPECT_NE(any.note.find("40022, 40023"), std::string::npos) << any.note;
    const Source one = from("198.51.100.7:40023");
    ASSERT_TRUE(one.connection) << one.note;
    EXPECT_EQ(one.connection->peer.port, 40023);
}

TEST_F(ExplainSource, AnIPv4ClientOfAnIPv6Listener)
{
    (void)proc_.write("net/tcp6", std::string(header) + mapped);
    const Source source = from("198.51.100.7");
    ASSERT_TRUE(source.connection) << source.note;
    EXPECT_EQ(source.connection->peer, (Endpoint{address("198.51.100.7"), 0x9c58}));
}

TEST_F(ExplainSource, WithoutOneItIsTheOneThatWouldBe)
{
    tcp(listening);
    const Source source = from("127.0.0.1:40022");
    ASSERT_TRUE(source.connection) << source.note;
    EXPECT_EQ(source.connection->peer, (Endpoint{address("127.0.0.1"), 40022}));
    EXPECT_EQ(source.connection->local.address, address("127.0.0.1"));
    EXPECT_NE(source.note.find("no such connection"), std::string::npos) << source.note;
}

}  // namespace
}  // namespace slurm_adopt::tool
