// SPDX-License-Identifier: GPL-2.0-or-later
// One proper message of each kind.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/helper_wire.h"

namespace slurm_adopt::helper_wire {

using Bytes = std::vector<std::byte>;

inline WhoisRequest whois_request()
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

inline WhoisReply whois_reply()
{
    WhoisReply reply;
    reply.status = static_cast<std::uint32_t>(Status::answered);
    reply.job_id = 4711;
    constexpr std::string_view node = "rack1.n_07";
    std::copy(node.begin(), node.end(), reply.node.begin());
    return reply;
}

inline TimesRequest times_request()
{
    TimesRequest request;
    request.count = 3;
    request.pids = {17, 4'194'304, 1};
    return request;
}

inline TimesReply times_reply()
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

inline JobsRequest jobs_request()
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

inline JobsReply jobs_reply()
{
    JobsReply reply;
    reply.status = static_cast<std::uint32_t>(JobsStatus::answered);
    reply.count = 2;
    reply.jobs[0] = {17, 2001, static_cast<std::uint32_t>(JobState::starting), 3};
    reply.jobs[1] = {18, 0, static_cast<std::uint32_t>(JobState::ending), 0};
    return reply;
}

inline ConfigRequest config_request()
{
    ConfigRequest request;
    put(request.node, "rack1.n_07");
    return request;
}

inline ConfigNode config_node(std::string_view name, std::string_view address, std::uint32_t port)
{
    ConfigNode node;
    put(node.name, name);
    put(node.address, address);
    node.port = port;
    return node;
}

inline ConfigReply config_reply()
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

inline JobRequest job_request()
{
    return {jobs_request(), 17};
}

inline JobReply job_reply()
{
    JobReply reply;
    reply.status = static_cast<std::uint32_t>(JobsStatus::answered);
    reply.job_id = 17;
    reply.uid = 2001;
    reply.node_count = 3;
    put(reply.name, "my job");
    put(reply.partition, "all");
    put(reply.account, "physics");
    put(reply.nodes, "n[1-3]");
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
template <>
struct Traits<JobRequest> {
    static constexpr Verb verb = Verb::job;
    static constexpr Kind kind = Kind::request;
    static JobRequest sample() { return job_request(); }
};
template <>
struct Traits<JobReply> {
    static constexpr Verb verb = Verb::job;
    static constexpr Kind kind = Kind::reply;
    static JobReply sample() { return job_reply(); }
};

// What is wrong with a body; empty: nothing.
template <class Body>
std::string fault(const Body& body)
{
    const Bytes bytes = encode(Traits<Body>::verb, body);
    const auto decoded = decode_body<Body>(std::span(bytes).subspan(sizeof(Header)));
    return decoded ? "" : decoded.error().context;
}

}  // namespace slurm_adopt::helper_wire
