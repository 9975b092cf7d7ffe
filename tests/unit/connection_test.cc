// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "slurm_adopt/fd.h"

namespace slurm_adopt {
namespace {

sockaddr_in v4(const char* address)
{
    sockaddr_in result{};
    result.sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &result.sin_addr);
    return result;
}

sockaddr_in6 v6(const char* address)
{
    sockaddr_in6 result{};
    result.sin6_family = AF_INET6;
    ::inet_pton(AF_INET6, address, &result.sin6_addr);
    return result;
}

// A connection over loopback: the accepted end and the connecting end.
struct Pair {
    Fd accepted;
    Fd connected;
};

template <class Listen, class From, class To>
Pair connect_loopback(Listen at, From from, To to)
{
    const Fd listener(::socket(reinterpret_cast<sockaddr&>(at).sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    socklen_t size = sizeof at;
    EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    std::memcpy(reinterpret_cast<char*>(&to) + 2, reinterpret_cast<char*>(&at) + 2, 2);  // the port
    Pair pair;
    pair.connected = Fd(::socket(reinterpret_cast<sockaddr&>(to).sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(pair.connected.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    EXPECT_EQ(::connect(pair.connected.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    pair.accepted = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return pair;
}

Pair loopback(const char* from)
{
    return connect_loopback(v4("127.0.0.1"), v4(from), v4("127.0.0.1"));
}

TEST(Connection, NumericAddressesOnly)
{
    EXPECT_EQ(to_text(parse_address("198.51.100.7").value()), "198.51.100.7");
    EXPECT_EQ(to_text(parse_address("2001:db8::7").value()), "2001:db8::7");
    EXPECT_EQ(to_text(parse_address("fe80::1%eth0").value()), "fe80::1");
    for (const char* text : {"", "n1", "198.51.100", "198.51.100.7 ", "::g", "localhost"}) EXPECT_FALSE(parse_address(text)) << text;
}

TEST(Connection, AMappedAddressIsTheIpv4AddressItIs)
{
    EXPECT_EQ(parse_address("::ffff:198.51.100.7"), parse_address("198.51.100.7"));
    // A listener on :: that an IPv4 client reaches.
    const Pair pair = connect_loopback(v6("::"), v4("127.0.0.9"), v4("127.0.0.1"));
    const auto connection = client_connection("/proc", "127.0.0.9");
    ASSERT_TRUE(connection);
    EXPECT_FALSE(connection->peer.address.is_v6);
    EXPECT_EQ(to_text(connection->local.address), "127.0.0.1");
}

TEST(Connection, Ipv6)
{
    const Pair pair = connect_loopback(v6("::1"), v6("::1"), v6("::1"));
    const auto connection = client_connection("/proc", "::1");
    ASSERT_TRUE(connection);
    EXPECT_TRUE(connection->peer.address.is_v6);
    EXPECT_EQ(to_text(connection->peer.address), "::1");
}

TEST(Connection, TheRemoteHostDecidesAmongSeveral)
{
    // An earlier module's connection to its directory server, opened before.
    const Pair other = loopback("127.0.0.5");
    const Pair client = loopback("127.0.0.6");
    const auto connection = client_connection("/proc", "127.0.0.6");
    ASSERT_TRUE(connection);
    EXPECT_EQ(to_text(connection->peer.address), "127.0.0.6");
    EXPECT_FALSE(client_connection("/proc", "127.0.0.77")) << "an address that nobody has is nobody's connection";
}

TEST(Connection, NoConnectionIsNone)
{
    const Fd unconnected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Fd datagram(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_FALSE(client_connection("/proc", "127.0.0.1"));
    EXPECT_FALSE(client_connection("/proc", ""));
    EXPECT_FALSE(client_connection("/nowhere", "127.0.0.1"));
}

// What a forked child thinks of its parent; 'p' its parent, 'n' nobody, anything else is wrong.
char parent_seen_by_child(std::string_view remote_host, bool own_group, const std::string& proc = "/proc")
{
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        if (own_group) (void)::setpgid(0, 0);
        const auto parent = parent_with_connection(proc, remote_host);
        const char answer = !parent ? 'n' : *parent == ::getppid() ? 'p' : '?';
        (void)!::write(ends[1], &answer, 1);
        ::_exit(0);
    }
    char answer = '-';
    EXPECT_EQ(::read(ends[0], &answer, 1), 1);
    (void)::waitpid(child, nullptr, 0);
    (void)::close(ends[0]);
    (void)::close(ends[1]);
    return answer;
}

TEST(ParentWithConnection, SameProgramGroupAndConnection)
{
    EXPECT_EQ(parent_seen_by_child("127.0.0.1", false), 'n') << "no connection";
    EXPECT_EQ(parent_seen_by_child("", false), 'n');
    EXPECT_EQ(parent_seen_by_child("UNKNOWN", false), 'p') << "sshd -i on a pipe: none is known to anybody";
    EXPECT_EQ(parent_seen_by_child("UNKNOWN", true), 'n');
    const Pair pair = connect_loopback(v4("127.0.0.1"), v4("127.0.0.1"), v4("127.0.0.1"));
    EXPECT_EQ(parent_seen_by_child("127.0.0.1", false), 'p');
    EXPECT_EQ(parent_seen_by_child("198.51.100.1", false), 'n') << "that is not the client's";
    EXPECT_EQ(parent_seen_by_child("127.0.0.1", true), 'n') << "a group of its own: no fork for this login's sake";
    EXPECT_EQ(parent_seen_by_child("127.0.0.1", false, "/nowhere"), 'n');
}

TEST(ParentWithConnection, ThatHasClosedItIsNone)
{
    // As sshd's listener does: the child alone keeps it.
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    Pair pair = connect_loopback(v4("127.0.0.1"), v4("127.0.0.1"), v4("127.0.0.1"));
    const pid_t child = ::fork();
    if (child == 0) {
        char go = 0;
        (void)!::read(ends[0], &go, 1);
        ::_exit(parent_with_connection("/proc", "127.0.0.1") ? 1 : 0);
    }
    pair.accepted.reset();
    pair.connected.reset();
    ASSERT_EQ(::write(ends[1], "g", 1), 1);
    int status = -1;
    (void)::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    (void)::close(ends[0]);
    (void)::close(ends[1]);
}

}  // namespace
}  // namespace slurm_adopt
