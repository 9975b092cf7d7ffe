// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/helper_wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

namespace slurm_adopt::helper_wire {
namespace {

using Bytes = std::vector<std::byte>;

WhoisRequest whois_request()
{
    WhoisRequest request;
    for (std::size_t i = 0; i < 16; ++i) {
        request.local_address[i] = std::byte(0x20 + i);
        request.peer_address[i] = std::byte(0xa0 + i);
    }
    request.is_v6 = 1;
    request.local_port = 22;
    request.peer_port = 50123;
    return request;
}

WhoisReply whois_reply()
{
    WhoisReply reply;
    reply.status = static_cast<std::uint32_t>(Status::answered);
    reply.job_id = 4711;
    constexpr std::string_view node = "rack1.n_07";
    std::copy(node.begin(), node.end(), reply.node.begin());
    return reply;
}

TimesRequest times_request()
{
    TimesRequest request;
    request.count = 3;
    request.pids = {17, 4'194'304, 1};
    return request;
}

TimesReply times_reply()
{
    TimesReply reply;
    reply.count = 2;
    reply.began_ns = {1'700'000'000'123'456'789, 0};
    return reply;
}

template <std::size_t size>
void put(std::array<char, size>& field, std::string_view text)
{
    std::copy(text.begin(), text.end(), field.begin());
}

JobsRequest jobs_request()
{
    JobsRequest request;
    request.controller = by_rest;
    request.uid = 2001;
    put(request.node, "n1");
    put(request.url, "https://ctl:6820");
    put(request.user, "slurm");
    put(request.token_file, "/etc/slurm/token");
    put(request.ca_file, "/etc/ssl/ca.pem");
    return request;
}

JobsReply jobs_reply()
{
    JobsReply reply;
    reply.status = static_cast<std::uint32_t>(JobsStatus::answered);
    reply.count = 2;
    reply.jobs[0] = {17, 2001, static_cast<std::uint32_t>(JobState::starting), 3};
    reply.jobs[1] = {18, 0, static_cast<std::uint32_t>(JobState::ending), 0};
    return reply;
}

ConfigRequest config_request()
{
    ConfigRequest request;
    put(request.node, "rack1.n_07");
    return request;
}

ConfigNode config_node(std::string_view name, std::string_view address, std::uint32_t port)
{
    ConfigNode node;
    put(node.name, name);
    put(node.address, address);
    node.port = port;
    return node;
}

ConfigReply config_reply()
{
    ConfigReply reply;
    reply.status = static_cast<std::uint32_t>(ConfigStatus::answered);
    reply.flags = flag_contain | flag_use_pam;
    put(reply.version, "22.05.8");
    put(reply.proctrack_type, "proctrack/cgroup");
    put(reply.spool_dir, "/var/spool/slurmd/%n");
    reply.own = config_node("n1", "198.51.100.1", 6818);
    reply.nodes = 3;
    reply.peer_count = 2;
    reply.peers[0] = config_node("n2", "198.51.100.2", 6818);
    reply.peers[1] = config_node("n3", "2001:db8::3", 65535);
    return reply;
}

template <class Message>
struct Traits;
template <>
struct Traits<WhoisRequest> {
    static constexpr Verb verb = Verb::whois;
    static constexpr Kind kind = Kind::request;
    static WhoisRequest sample() { return whois_request(); }
};
template <>
struct Traits<WhoisReply> {
    static constexpr Verb verb = Verb::whois;
    static constexpr Kind kind = Kind::reply;
    static WhoisReply sample() { return whois_reply(); }
};
template <>
struct Traits<TimesRequest> {
    static constexpr Verb verb = Verb::times;
    static constexpr Kind kind = Kind::request;
    static TimesRequest sample() { return times_request(); }
};
template <>
struct Traits<TimesReply> {
    static constexpr Verb verb = Verb::times;
    static constexpr Kind kind = Kind::reply;
    static TimesReply sample() { return times_reply(); }
};

template <>
struct Traits<JobsRequest> {
    static constexpr Verb verb = Verb::jobs;
    static constexpr Kind kind = Kind::request;
    static JobsRequest sample() { return jobs_request(); }
};
template <>
struct Traits<JobsReply> {
    static constexpr Verb verb = Verb::jobs;
    static constexpr Kind kind = Kind::reply;
    static JobsReply sample() { return jobs_reply(); }
};
template <>
struct Traits<ConfigRequest> {
    static constexpr Verb verb = Verb::config;
    static constexpr Kind kind = Kind::request;
    static ConfigRequest sample() { return config_request(); }
};
template <>
struct Traits<ConfigReply> {
    static constexpr Verb verb = Verb::config;
    static constexpr Kind kind = Kind::reply;
    static ConfigReply sample() { return config_reply(); }
};

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
using Messages = testing::Types<WhoisRequest, WhoisReply, TimesRequest, TimesReply, JobsRequest, JobsReply, ConfigRequest, ConfigReply>;
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
    for (const std::uint32_t value : {0U, 5U, 0xffffffffU})
        EXPECT_FALSE(decode_header(header_with(offsetof(Header, verb), value), Kind::request).ok()) << value;
    for (const std::uint32_t value : {0U, 39U, 41U, 264U, 0x7fffffffU, 0xffffffffU})
        EXPECT_FALSE(decode_header(header_with(offsetof(Header, size), value), Kind::request).ok()) << value;
    EXPECT_FALSE(decode_header(header_with(offsetof(Header, module_pid), 0x80000000U), Kind::request).ok());
}

template <class Body>
std::string fault(const Body& body)
{
    const Bytes bytes = encode(Traits<Body>::verb, body);
    const auto decoded = decode_body<Body>(std::span(bytes).subspan(sizeof(Header)));
    return decoded ? "" : decoded.error().context;
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

TEST(WireJobsRequest, IsForOneControllerWithWhatItNeeds)
{
    EXPECT_EQ(fault(jobs_request()), "");
    JobsRequest request;
    put(request.node, "n1");
    for (const std::uint32_t controller : {0U, 3U, 0xffffffffU}) {
        request.controller = controller;
        EXPECT_EQ(fault(request), "no such controller") << controller;
    }
    request.controller = by_rpc;
    EXPECT_EQ(fault(request), "");
    put(request.user, "slurm");
    EXPECT_EQ(fault(request), "slurmctld is asked as if it were slurmrestd");
    request.controller = by_rest;
    EXPECT_EQ(fault(request), "no URL");
    put(request.url, "unix:/x");
    EXPECT_EQ(fault(request), "not one of token and key");
    put(request.key_file, "/k");
    EXPECT_EQ(fault(request), "");
    put(request.token_file, "/t");
    EXPECT_EQ(fault(request), "not one of token and key");
    request = jobs_request();
    request.node.fill('\0');
    EXPECT_EQ(fault(request), "no node");
    request.node[1] = 'n';
    EXPECT_EQ(fault(request), "a text does not end, or something follows it");
    request = jobs_request();
    request.ca_file.fill('c');
    EXPECT_EQ(fault(request), "a text does not end, or something follows it");
}

TEST(WireJobsReply, HoldsJobsOnlyWhenAnswered)
{
    JobsReply reply = jobs_reply();
    EXPECT_EQ(fault(reply), "");
    for (const std::uint32_t status : {0U, 2U, 3U, 4U, 5U}) {
        reply.status = status;
        EXPECT_EQ(fault(reply), "too many jobs") << status;
    }
    reply.status = 6;
    EXPECT_EQ(fault(reply), "no such status");
    reply = jobs_reply();
    for (const std::uint32_t count : {3U, 1U, 0U}) {
        reply.count = count;
        EXPECT_EQ(fault(reply), "not a list of jobs") << count;
    }
    reply.count = most_jobs + 1;
    EXPECT_EQ(fault(reply), "too many jobs");
    for (const ControllerJob job : {ControllerJob{0, 1, 1, 0}, ControllerJob{0xfffffffe, 1, 1, 0}, ControllerJob{1, every_uid, 1, 0},
                                    ControllerJob{1, 1, 0, 0}, ControllerJob{1, 1, 4, 0}}) {
        reply = jobs_reply();
        reply.jobs[1] = job;
        EXPECT_EQ(fault(reply), "not a list of jobs");
    }
}

TEST(WireConfigReply, HoldsSettingsOnlyWhenAnswered)
{
    EXPECT_EQ(fault(config_reply()), "");
    ConfigReply reply;
    for (const std::uint32_t status : {0U, 1U, 2U}) {
        reply = {};
        reply.status = status;
        EXPECT_EQ(fault(reply), "") << status;
        reply.nodes = 1;
        EXPECT_EQ(fault(reply).empty(), status == 1) << status;
    }
    reply.status = 3;
    EXPECT_EQ(fault(reply), "no such status");
    reply = config_reply();
    reply.flags = 8;
    EXPECT_EQ(fault(reply), "no such flag");
    reply = config_reply();
    reply.task_plugin.fill('t');
    EXPECT_EQ(fault(reply), "a text does not end, or something follows it");
}

TEST(WireConfigReply, HoldsWholeNodes)
{
    for (const ConfigNode& half : {config_node("", "x", 1), config_node("n1", "", 1), config_node("n1", "x", 0),
                                   config_node("n1", "x", 65536)}) {
        ConfigReply reply = config_reply();
        reply.own = half;
        EXPECT_EQ(fault(reply), "not a node");
        reply = config_reply();
        reply.peers[1] = half;
        EXPECT_EQ(fault(reply), "not a list of nodes");
    }
    ConfigReply reply = config_reply();
    for (const std::uint32_t count : {0U, 1U, 3U}) {
        reply.peer_count = count;
        EXPECT_EQ(fault(reply), "not a list of nodes") << count;
    }
    for (const std::uint32_t count : {4U, 9U, 0xffffffffU}) {
        reply.peer_count = count;
        EXPECT_EQ(fault(reply), "too many nodes") << count;
    }
}

}  // namespace
}  // namespace slurm_adopt::helper_wire
