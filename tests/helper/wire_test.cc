// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "wire_messages.h"

namespace slurm_adopt::helper_wire {
namespace {

// What a receiver does with a whole message.
template <class Body>
bool accepts(std::span<const std::byte> bytes)
{
    if (bytes.size() < sizeof(Header)) return decode_header(bytes, Traits<Body>::kind).ok();
    const auto header = decode_header(bytes.first(sizeof(Header)), Traits<Body>::kind);
    if (!header || header.value().verb != static_cast<std::uint32_t>(Traits<Body>::verb)) return false;
    return decode_body<Body>(bytes.subspan(sizeof(Header))).ok();
}

template <class Body>
Bytes encode_sample()
{
    return encode(Traits<Body>::verb, Traits<Body>::sample(), 4242, 3);
}

template <class Body>
class EveryMessage : public testing::Test {};
using Messages = testing::Types<WhoisRequest, WhoisReply, TimesRequest, TimesReply, JobsRequest, JobsReply, ConfigRequest, ConfigReply,
                                JobRequest, JobReply>;
TYPED_TEST_SUITE(EveryMessage, Messages);

TYPED_TEST(EveryMessage, ComesBackAsItWas)
{
    const Bytes bytes = encode_sample<TypeParam>();
    ASSERT_EQ(bytes.size(), sizeof(Header) + sizeof(TypeParam));
    const auto header = decode_header(std::span(bytes).first(sizeof(Header)), Traits<TypeParam>::kind);
    ASSERT_TRUE(header.ok()) << header.error().context;
    EXPECT_EQ(header.value().magic, magic);
    EXPECT_EQ(header.value().version, version);
    EXPECT_EQ(header.value().verb, static_cast<std::uint32_t>(Traits<TypeParam>::verb));
    EXPECT_EQ(header.value().size, sizeof(TypeParam));
    EXPECT_EQ(header.value().module_pid, 4242);
    EXPECT_EQ(header.value().log_level, 3U);
    const auto body = decode_body<TypeParam>(std::span(bytes).subspan(sizeof(Header)));
    ASSERT_TRUE(body.ok()) << body.error().context;
    EXPECT_EQ(encode(Traits<TypeParam>::verb, body.value(), 4242, 3), bytes);
}

TYPED_TEST(EveryMessage, IsRefusedWhenCutAnywhere)
{
    const Bytes bytes = encode_sample<TypeParam>();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(accepts<TypeParam>(std::span(bytes).first(size))) << size << " bytes";
}

TYPED_TEST(EveryMessage, IsRefusedWithBytesBehindIt)
{
    Bytes bytes = encode_sample<TypeParam>();
    for (const std::size_t more : {std::size_t{1}, std::size_t{4}, bytes.size(), std::size_t{100'000}}) {
        Bytes longer = bytes;
        longer.resize(bytes.size() + more);
        EXPECT_FALSE(accepts<TypeParam>(longer)) << more << " bytes more";
    }
}

// One bit of the header says who asks or how much to log; every other one must be as it is.
TYPED_TEST(EveryMessage, IsRefusedWithAnyBitOfTheHeaderTurned)
{
    const Bytes bytes = encode_sample<TypeParam>();
    for (std::size_t bit = 0; bit < offsetof(Header, module_pid) * 8; ++bit) {
        Bytes turned = bytes;
        turned[bit / 8] ^= std::byte(1U << (bit % 8));
        EXPECT_FALSE(accepts<TypeParam>(turned)) << "bit " << bit;
    }
}

// A body with any bit turned is either refused or another proper message: never something half understood.
TYPED_TEST(EveryMessage, StaysCanonicalWithAnyBitTurned)
{
    const Bytes bytes = encode_sample<TypeParam>();
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        Bytes turned = bytes;
        turned[bit / 8] ^= std::byte(1U << (bit % 8));
        if (!accepts<TypeParam>(turned)) continue;
        const auto header = decode_header(std::span(turned).first(sizeof(Header)), Traits<TypeParam>::kind).value();
        const auto body = decode_body<TypeParam>(std::span(turned).subspan(sizeof(Header))).value();
        EXPECT_EQ(encode(Traits<TypeParam>::verb, body, header.module_pid, header.log_level), turned) << "bit " << bit;
    }
}

TYPED_TEST(EveryMessage, NeverPassesForTheOtherDirection)
{
    const Bytes bytes = encode_sample<TypeParam>();
    const Kind other = Traits<TypeParam>::kind == Kind::request ? Kind::reply : Kind::request;
    EXPECT_FALSE(decode_header(std::span(bytes).first(sizeof(Header)), other).ok());
}

Bytes header_with(std::size_t offset, std::uint32_t value)
{
    Bytes bytes = encode(Verb::whois, whois_request(), 1, 0);
    bytes.resize(sizeof(Header));
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    return bytes;
}

TEST(WireHeader, AcceptsEveryLogLevelAndNoOther)
{
    for (std::uint32_t level = 0; level <= 9; ++level)
        EXPECT_TRUE(decode_header(header_with(offsetof(Header, log_level), level), Kind::request).ok()) << level;
    for (const std::uint32_t level : {10U, 255U, 0x80000000U, std::numeric_limits<std::uint32_t>::max()})
        EXPECT_FALSE(decode_header(header_with(offsetof(Header, log_level), level), Kind::request).ok()) << level;
}

TEST(WireHeader, RefusesOtherVersionsVerbsAndSizes)
{
    for (const std::uint32_t value : {0U, 2U, 0x01000000U, 0xffffffffU})
        EXPECT_FALSE(decode_header(header_with(offsetof(Header, version), value), Kind::request).ok()) << value;
    for (const std::uint32_t value : {0U, 6U, 0xffffffffU})
        EXPECT_FALSE(decode_header(header_with(offsetof(Header, verb), value), Kind::request).ok()) << value;
    for (const std::uint32_t value : {0U, 39U, 41U, 264U, 0x7fffffffU, 0xffffffffU})
        EXPECT_FALSE(decode_header(header_with(offsetof(Header, size), value), Kind::request).ok()) << value;
    EXPECT_FALSE(decode_header(header_with(offsetof(Header, module_pid), 0x80000000U), Kind::request).ok());
}

TEST(WireWhoisRequest, HoldsAddressesOfItsFamily)
{
    WhoisRequest request = whois_request();
    EXPECT_EQ(fault(request), "");
    request.is_v6 = 2;
    EXPECT_EQ(fault(request), "no such address family");
    request.is_v6 = 0;
    EXPECT_EQ(fault(request), "an IPv4 address of more than four bytes");
    std::fill(request.local_address.begin() + 4, request.local_address.end(), std::byte{});
    EXPECT_EQ(fault(request), "an IPv4 address of more than four bytes");
    std::fill(request.peer_address.begin() + 4, request.peer_address.end(), std::byte{});
    EXPECT_EQ(fault(request), "");
}

TEST(WireWhoisReply, HasAJobExactlyWhenAnswered)
{
    WhoisReply reply;
    EXPECT_EQ(fault(reply), "");
    for (std::uint32_t status = 0; status <= 6; ++status) {
        reply.status = status;
        reply.job_id = 0;
        EXPECT_EQ(fault(reply).empty(), status != 1) << status;
        reply.job_id = 7;
        EXPECT_EQ(fault(reply).empty(), status == 1) << status;
    }
    reply.status = 7;
    EXPECT_EQ(fault(reply), "no such status");
    reply.status = 1;
    for (const std::uint32_t no_job : {0xfffffffeU, 0xffffffffU}) {
        reply.job_id = no_job;
        EXPECT_EQ(fault(reply), "status and job contradict each other");
    }
}

TEST(WireWhoisReply, EndsItsText)
{
    WhoisReply reply = whois_reply();
    std::fill(reply.node.begin(), reply.node.end(), 'n');
    EXPECT_EQ(fault(reply), "the node's name does not end, or something follows it");
    reply.node.back() = '\0';
    EXPECT_EQ(fault(reply), "");
    reply.node[10] = '\0';
    EXPECT_EQ(fault(reply), "the node's name does not end, or something follows it");
}

TEST(WireTimesRequest, HoldsPidsUpToItsCount)
{
    TimesRequest request;
    EXPECT_EQ(fault(request), "");
    request.count = most_steps;
    request.pids.fill(5);
    EXPECT_EQ(fault(request), "");
    for (const std::uint32_t count : {65U, 1000U, 0x40000000U, 0x80000001U, 0xffffffffU}) {
        request.count = count;
        EXPECT_EQ(fault(request), "not a list of pids") << count;
    }
    request.count = 63;
    EXPECT_EQ(fault(request), "not a list of pids") << "an entry behind the last one";
    request = times_request();
    for (const std::int32_t pid : {0, -1, std::numeric_limits<std::int32_t>::min()}) {
        request.pids[1] = pid;
        EXPECT_EQ(fault(request), "not a list of pids") << pid;
    }
}

TEST(WireTimesReply, HoldsTimesUpToItsCount)
{
    TimesReply reply = times_reply();
    reply.unused = 1;
    EXPECT_EQ(fault(reply), "an unused field is used");
    reply.unused = 0;
    for (const std::uint32_t count : {65U, 0xffffffffU}) {
        reply.count = count;
        EXPECT_EQ(fault(reply), "not a list of times") << count;
    }
    reply.count = 0;
    EXPECT_EQ(fault(reply), "not a list of times") << "an entry behind the last one";
    reply = times_reply();
    reply.began_ns[1] = -1;
    EXPECT_EQ(fault(reply), "not a list of times");
}

}  // namespace
}  // namespace slurm_adopt::helper_wire
