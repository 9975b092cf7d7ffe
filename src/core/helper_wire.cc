// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/helper_wire.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>

namespace slurm_adopt::helper_wire {
namespace {

// What is sent is memory: no padding may carry anything from elsewhere in it, and every bit pattern must be a value.
template <class T>
constexpr bool is_plain = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>;
static_assert(is_plain<Header> && is_plain<WhoisRequest> && is_plain<WhoisReply> && is_plain<TimesRequest> &&
              is_plain<TimesReply> && is_plain<JobsRequest> && is_plain<JobsReply> && is_plain<ConfigRequest> &&
              is_plain<ConfigReply> && is_plain<JobRequest> && is_plain<JobReply>);
static_assert(sizeof(Header) == 24 && sizeof(WhoisRequest) == 40 && sizeof(WhoisReply) == 264 &&
              sizeof(TimesRequest) == 260 && sizeof(TimesReply) == 520 && sizeof(JobsRequest) == 2380 && sizeof(JobsReply) == 4104 &&
              sizeof(ConfigRequest) == 256 && sizeof(ConfigReply) == 6708 && sizeof(JobRequest) == 2384 && sizeof(JobReply) == 9744);

constexpr std::uint32_t no_job = 0xfffffffe;  // NO_VAL of slurm/slurm.h: "not set", never a job
constexpr std::size_t v4_size = 4;

Error malformed(const char* what)
{
    return Error{ErrorCode::malformed, 0, what};
}

std::optional<std::size_t> body_size(std::uint32_t verb, Kind kind)
{
    const bool request = kind == Kind::request;
    if (verb == static_cast<std::uint32_t>(Verb::whois)) return request ? sizeof(WhoisRequest) : sizeof(WhoisReply);
    if (verb == static_cast<std::uint32_t>(Verb::times)) return request ? sizeof(TimesRequest) : sizeof(TimesReply);
    if (verb == static_cast<std::uint32_t>(Verb::jobs)) return request ? sizeof(JobsRequest) : sizeof(JobsReply);
    if (verb == static_cast<std::uint32_t>(Verb::config)) return request ? sizeof(ConfigRequest) : sizeof(ConfigReply);
    if (verb == static_cast<std::uint32_t>(Verb::job)) return request ? sizeof(JobRequest) : sizeof(JobReply);
    return std::nullopt;
}

bool fits_family(const std::array<std::byte, 16>& address, bool is_v6)
{
    return is_v6 || std::all_of(address.begin() + v4_size, address.end(), [](std::byte b) { return b == std::byte{}; });
}

// Of `count` entries used and the others zero; `allowed` says what a used one may be.
template <class Entry, class Allowed>
bool is_list(std::uint32_t count, const std::array<Entry, most_steps>& entries, Allowed allowed)
{
    if (count > most_steps) return false;
    const auto end_of_used = entries.begin() + static_cast<std::ptrdiff_t>(count);
    return std::all_of(entries.begin(), end_of_used, allowed) &&
           std::all_of(end_of_used, entries.end(), [](Entry entry) { return entry == 0; });
}

// Characters, then NUL up to the end, of which there is one at least.
bool is_text(std::span<const char> field)
{
    const auto end_of_text = std::find(field.begin(), field.end(), '\0');
    return end_of_text != field.end() && std::all_of(end_of_text, field.end(), [](char c) { return c == '\0'; });
}

bool is_empty(std::span<const char> text)
{
    return text.front() == '\0';
}

bool is_job(const ControllerJob& job)
{
    const bool is_state = job.state >= static_cast<std::uint32_t>(JobState::starting) &&
                          job.state <= static_cast<std::uint32_t>(JobState::ending);
    return job.job_id != 0 && job.job_id < no_job && job.uid < every_uid && is_state;
}

// What is wrong with a body, or nothing.
const char* fault_of(const WhoisRequest& body)
{
    if (body.is_v6 > 1) return "no such address family";
    const bool is_v6 = body.is_v6 != 0;
    if (!fits_family(body.local_address, is_v6) || !fits_family(body.peer_address, is_v6))
        return "an IPv4 address of more than four bytes";
    return nullptr;
}

const char* fault_of(const WhoisReply& body)
{
    if (body.status > static_cast<std::uint32_t>(Status::no_munge)) return "no such status";
    const bool answered = body.status == static_cast<std::uint32_t>(Status::answered);
    if (answered ? body.job_id == 0 || body.job_id >= no_job : body.job_id != 0) return "status and job contradict each other";
    return is_text(body.node) ? nullptr : "the node's name does not end, or something follows it";
}

const char* fault_of(const TimesRequest& body)
{
    return is_list(body.count, body.pids, [](std::int32_t pid) { return pid > 0; }) ? nullptr : "not a list of pids";
}

const char* fault_of(const TimesReply& body)
{
    if (body.unused != 0) return "an unused field is used";
    return is_list(body.count, body.began_ns, [](std::int64_t began) { return began >= 0; }) ? nullptr : "not a list of times";
}

const char* fault_of(const JobsRequest& body)
{
    for (const std::span<const char> text : {std::span<const char>(body.node), std::span<const char>(body.url), std::span<const char>(body.user),
                                             std::span<const char>(body.token_file), std::span<const char>(body.key_file),
                                             std::span<const char>(body.ca_file)})
        if (!is_text(text)) return "a text does not end, or something follows it";
    if (is_empty(body.node)) return "no node";
    const bool has_rest = !is_empty(body.url) || !is_empty(body.user) || !is_empty(body.token_file) || !is_empty(body.key_file) ||
                          !is_empty(body.ca_file);
    if (body.controller == by_rpc) return has_rest ? "slurmctld is asked as if it were slurmrestd" : nullptr;
    if (body.controller != by_rest) return "no such controller";
    if (is_empty(body.url)) return "no URL";
    return is_empty(body.token_file) != is_empty(body.key_file) ? nullptr : "not one of token and key";
}

const char* fault_of(const JobsReply& body)
{
    if (body.status > static_cast<std::uint32_t>(JobsStatus::malformed)) return "no such status";
    const bool answered = body.status == static_cast<std::uint32_t>(JobsStatus::answered);
    if (body.count > (answered ? most_jobs : 0)) return "too many jobs";
    const auto end_of_used = body.jobs.begin() + static_cast<std::ptrdiff_t>(body.count);
    const bool is_list = std::all_of(body.jobs.begin(), end_of_used, is_job) &&
                         std::all_of(end_of_used, body.jobs.end(), [](const ControllerJob& job) { return job == ControllerJob{}; });
    return is_list ? nullptr : "not a list of jobs";
}

const char* fault_of(const JobRequest& body)
{
    if (const char* fault = fault_of(body.about)) return fault;
    if (body.about.uid >= every_uid) return "a job of nobody's";
    return body.job_id != 0 && body.job_id < no_job ? nullptr : "no job";
}

const char* fault_of(const JobReply& body)
{
    if (body.status > static_cast<std::uint32_t>(JobsStatus::malformed)) return "no such status";
    if (body.job_id == 0 || body.status != static_cast<std::uint32_t>(JobsStatus::answered)) {
        JobReply nothing;
        nothing.status = body.status;
        return body == nothing ? nullptr : "status and job contradict each other";
    }
    if (body.job_id >= no_job || body.uid >= every_uid) return "not a job";
    for (const std::span<const char> text : {std::span<const char>(body.name), std::span<const char>(body.partition),
                                             std::span<const char>(body.account), std::span<const char>(body.nodes)})
        if (!is_text(text)) return "a text does not end, or something follows it";
    return nullptr;
}

constexpr std::uint32_t highest_port = 65535;

bool is_node(const ConfigNode& node)
{
    return is_text(node.name) && is_text(node.address) && !is_empty(node.name) && !is_empty(node.address) && node.port != 0 &&
           node.port <= highest_port;
}

const char* fault_of(const ConfigRequest& body)
{
    return is_text(body.node) ? nullptr : "the node's name does not end, or something follows it";
}

const char* fault_of(const ConfigReply& body)
{
    if (body.status > static_cast<std::uint32_t>(ConfigStatus::no_config)) return "no such status";
    if (body.status != static_cast<std::uint32_t>(ConfigStatus::answered)) {
        ConfigReply nothing;
        nothing.status = body.status;
        return body == nothing ? nullptr : "status and settings contradict each other";
    }
    if (body.flags > (flag_contain | flag_x11 | flag_use_pam)) return "no such flag";
    for (const std::span<const char> text :
         {std::span<const char>(body.version), std::span<const char>(body.proctrack_type), std::span<const char>(body.task_plugin),
          std::span<const char>(body.launch_parameters), std::span<const char>(body.job_container),
          std::span<const char>(body.slurmd_parameters), std::span<const char>(body.spool_dir)})
        if (!is_text(text)) return "a text does not end, or something follows it";
    if (body.own != ConfigNode{} && !is_node(body.own)) return "not a node";
    if (body.peer_count > most_peers || body.peer_count > body.nodes) return "too many nodes";
    const auto end_of_used = body.peers.begin() + static_cast<std::ptrdiff_t>(body.peer_count);
    const bool is_list = std::all_of(body.peers.begin(), end_of_used, is_node) &&
                         std::all_of(end_of_used, body.peers.end(), [](const ConfigNode& node) { return node == ConfigNode{}; });
    return is_list ? nullptr : "not a list of nodes";
}

}  // namespace

template <class Body>
std::vector<std::byte> encode(Verb verb, const Body& body, pid_t module_pid, std::uint32_t log_level)
{
    const Header header{magic, version, static_cast<std::uint32_t>(verb), sizeof(Body), module_pid, log_level};
    std::vector<std::byte> bytes(sizeof header + sizeof body);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + sizeof header, &body, sizeof body);
    return bytes;
}

Result<Header> decode_header(std::span<const std::byte> bytes, Kind kind)
{
    Header header;
    if (bytes.size() != sizeof header) return malformed("not the size of a header");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != magic) return malformed("not a message of slurm-adopt");
    if (header.version != version) return malformed("another version of the protocol");
    const auto size = body_size(header.verb, kind);
    if (!size) return malformed("no such verb");
    if (header.size != *size) return malformed("not the size of this verb's message");
    if (header.module_pid < 0) return malformed("not a pid");
    if (header.log_level > highest_log_level) return malformed("no such log level");
    return header;
}

template <class Body>
Result<Body> decode_body(std::span<const std::byte> bytes)
{
    Body body;
    if (bytes.size() != sizeof body) return malformed("not the size of this message");
    std::memcpy(&body, bytes.data(), sizeof body);
    if (const char* fault = fault_of(body)) return malformed(fault);
    return body;
}

template std::vector<std::byte> encode(Verb, const WhoisRequest&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const WhoisReply&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const TimesRequest&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const TimesReply&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const JobsRequest&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const JobsReply&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const ConfigRequest&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const ConfigReply&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const JobRequest&, pid_t, std::uint32_t);
template std::vector<std::byte> encode(Verb, const JobReply&, pid_t, std::uint32_t);
template Result<WhoisRequest> decode_body(std::span<const std::byte>);
template Result<WhoisReply> decode_body(std::span<const std::byte>);
template Result<TimesRequest> decode_body(std::span<const std::byte>);
template Result<TimesReply> decode_body(std::span<const std::byte>);
template Result<JobsRequest> decode_body(std::span<const std::byte>);
template Result<JobsReply> decode_body(std::span<const std::byte>);
template Result<ConfigRequest> decode_body(std::span<const std::byte>);
template Result<ConfigReply> decode_body(std::span<const std::byte>);
template Result<JobRequest> decode_body(std::span<const std::byte>);
template Result<JobReply> decode_body(std::span<const std::byte>);

bool put_whole(std::span<char> field, std::string_view text)
{
    if (text.size() >= field.size() || text.find('\0') != std::string_view::npos) return false;
    std::copy(text.begin(), text.end(), field.begin());
    return true;
}

}  // namespace slurm_adopt::helper_wire
