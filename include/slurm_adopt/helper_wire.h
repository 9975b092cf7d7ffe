// SPDX-License-Identifier: GPL-2.0-or-later
// What the module and slurm-adopt-helper (or slurm-adopt-rest) say to each other over a socketpair: one request, one reply.
//
// Fixed-size structures in the machine's own byte order, both ends being on the same machine and of the same
// release: a magic, a version that both must share, a verb, and a size that must be exactly the verb's. Requests and
// replies differ in size, so that one never passes for the other. Decoders take whole messages only and refuse
// everything else; what they return is canonical: encoding it again gives the same bytes.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "slurm_adopt/result.h"

namespace slurm_adopt::helper_wire {

inline constexpr std::uint32_t magic = 0x53414831;  // "SAH1"
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t most_steps = 64;  // asked in one `times` request
inline constexpr std::size_t most_jobs = 256;  // told in one `jobs` reply
inline constexpr std::size_t longest_node = 256;
inline constexpr std::size_t longest_user = 64;
inline constexpr std::size_t longest_path = 512;  // of a file, and of a URL
inline constexpr std::size_t longest_setting = 256;  // of slurm.conf
inline constexpr std::size_t longest_job_name = 1024;  // slurmctld takes no longer ones
inline constexpr std::size_t longest_node_list = 8192;
inline constexpr std::size_t most_peers = 8;  // told in one `config` reply
inline constexpr std::uint32_t highest_log_level = 9;

enum class Verb : std::uint32_t { whois = 1, times = 2, jobs = 3, config = 4, job = 5 };
enum class Kind { request, reply };

// Before every request and reply.
struct Header {
    std::uint32_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t verb = 0;
    std::uint32_t size = 0;       // of what follows, bytes
    std::int32_t module_pid = 0;  // for the log: who asked
    std::uint32_t log_level = 0;  // the module's log_level, 0 to 9
};

// "Which job owns this connection?"
struct WhoisRequest {
    std::array<std::byte, 16> local_address{};  // network byte order; IPv4: the first four, the others are zero
    std::array<std::byte, 16> peer_address{};
    std::uint32_t is_v6 = 0;  // 0 or 1
    std::uint16_t local_port = 0;  // host byte order
    std::uint16_t peer_port = 0;
};

enum class Status : std::uint32_t {
    failed = 0,       // the zero value: nothing is known
    answered = 1,
    not_a_node = 2,   // the peer's address belongs to no node of slurm.conf: nobody was asked
    no_answer = 3,    // the source node's slurmd could not be asked, or answered with an error
    no_config = 4,    // slurm.conf could not be read, or libslurm not be set up with it
    no_job = 5,       // the source node's slurmd knows no job that has the connection
    no_munge = 6,     // no munged on this node to sign the question: nobody was asked
};

struct WhoisReply {
    std::uint32_t status = 0;
    std::uint32_t job_id = 0;  // not 0 with Status::answered, 0 with every other
    std::array<char, longest_node> node{};  // who answered, as it calls itself (to be printed with care); NUL to the end
};

// "When did the extern steps of these slurmstepds begin?"
struct TimesRequest {
    std::uint32_t count = 0;
    std::array<std::int32_t, most_steps> pids{};  // each above 0; 0 from `count` on
};

struct TimesReply {
    std::uint32_t count = 0;
    std::uint32_t unused = 0;
    std::array<std::int64_t, most_steps> began_ns{};  // nanoseconds since the epoch; 0: not known
};

// "Which jobs does the controller have on this node?" Texts end with NUL and are NUL from there on.
struct JobsRequest {
    std::uint32_t controller = 0;  // 1: slurmctld by RPC, asked by slurm-adopt-helper; 2: slurmrestd, asked by slurm-adopt-rest
    std::uint32_t uid = 0;         // whose; every_uid: everybody's
    std::uint32_t patience_ms = 0;  // the program is killed when this is over, so it gives up a little before; 0: it is not told
    std::array<char, longest_node> node{};  // NodeName, not empty
    // Of slurmrestd, and empty with the other one.
    std::array<char, longest_path> url{};         // http://HOST:PORT, https://HOST:PORT or unix:/PATH
    std::array<char, longest_user> user{};        // whom the token is for; empty: the one that the program runs as
    std::array<char, longest_path> token_file{};  // a JSON Web Token; exactly one of this and the next
    std::array<char, longest_path> key_file{};    // the key to mint one with
    std::array<char, longest_path> ca_file{};     // PEM; empty: the system's
};

inline constexpr std::uint32_t by_rpc = 1;
inline constexpr std::uint32_t by_rest = 2;
inline constexpr std::uint32_t every_uid = 0xfffffffe;

enum class JobsStatus : std::uint32_t {
    failed = 0,       // the zero value: nothing is known
    answered = 1,
    no_config = 2,    // what is needed to ask cannot be read: slurm.conf, token, key, CA file
    unreachable = 3,  // nobody answered: no such host, no connection, TLS, time over
    refused = 4,      // the controller does not take our token or our munge credential
    malformed = 5,    // an error, or an answer that is none
};

enum class JobState : std::uint32_t {
    starting = 1,  // has this node, but not all that it needs to run: CONFIGURING, or the prolog runs
    running = 2,   // or suspended
    ending = 3,    // COMPLETING
};

struct ControllerJob {
    std::uint32_t job_id = 0;
    std::uint32_t uid = 0;
    std::uint32_t state = 0;      // a JobState
    std::uint32_t running_s = 0;  // since its StartTime, by the controller's own clock where it tells it
    friend bool operator==(const ControllerJob&, const ControllerJob&) = default;
};

struct JobsReply {
    std::uint32_t status = 0;
    std::uint32_t count = 0;  // of jobs that have the node; not 0 only with JobsStatus::answered
    std::array<ControllerJob, most_jobs> jobs{};  // all zero from `count` on; each id above 0
};

// "What is this job of the user's?" For import_env=, where none of its processes can say it.
struct JobRequest {
    JobsRequest about;         // how to ask, and whose job it is: not every_uid
    std::uint32_t job_id = 0;  // not 0
};

// Texts end with NUL and are NUL from there on; one that is too long, or not known, is empty.
struct JobReply {
    std::uint32_t status = 0;  // a JobsStatus
    std::uint32_t job_id = 0;  // not 0 only with JobsStatus::answered; 0: the user has no such job, and all that follows is zero
    std::uint32_t uid = 0;     // whose it is
    std::uint32_t node_count = 0;
    std::array<char, longest_job_name> name{};  // the user's choice, to the last byte
    std::array<char, longest_setting> partition{};
    std::array<char, longest_setting> account{};
    std::array<char, longest_node_list> nodes{};  // "n[1-3]"
    friend bool operator==(const JobReply&, const JobReply&) = default;
};

// "What does slurm.conf say that logins depend on?" Asked by slurm-adopt check.
struct ConfigRequest {
    std::array<char, longest_node> node{};  // NodeName; empty: the one of this host
};

enum class ConfigStatus : std::uint32_t {
    failed = 0,  // the zero value: nothing is known
    answered = 1,
    no_config = 2,  // slurm.conf cannot be read
};

// What counts of PrologFlags, and UsePAM.
inline constexpr std::uint32_t flag_contain = 1;
inline constexpr std::uint32_t flag_x11 = 2;
inline constexpr std::uint32_t flag_use_pam = 4;

// Where a slurmd is to be found.
struct ConfigNode {
    std::array<char, longest_node> name{};     // NodeName
    std::array<char, longest_node> address{};  // NodeAddr
    std::uint32_t port = 0;
    friend bool operator==(const ConfigNode&, const ConfigNode&) = default;
};

// Texts end with NUL and are NUL from there on; longer ones are cut.
struct ConfigReply {
    std::uint32_t status = 0;
    std::uint32_t flags = 0;
    std::array<char, longest_setting> version{};  // of libslurm, "22.05.8"
    std::array<char, longest_setting> proctrack_type{};
    std::array<char, longest_setting> task_plugin{};
    std::array<char, longest_setting> launch_parameters{};
    std::array<char, longest_setting> job_container{};  // JobContainerType; from 25.11 on NamespaceType
    std::array<char, longest_setting> slurmd_parameters{};
    std::array<char, longest_path> spool_dir{};         // SlurmdSpoolDir as written, with its %n and %h
    ConfigNode own;                                     // all zero: no such node
    std::uint32_t nodes = 0;                            // in slurm.conf
    std::uint32_t peer_count = 0;                       // not more than other nodes
    std::array<ConfigNode, most_peers> peers{};         // some of the others; all zero from `peer_count` on
    friend bool operator==(const ConfigReply&, const ConfigReply&) = default;
};

// A whole message: header and body. Body is one of the ten above, and `verb` the one that it belongs to.
template <class Body>
[[nodiscard]] std::vector<std::byte> encode(Verb verb, const Body& body, pid_t module_pid = 0, std::uint32_t log_level = 0);

// The header of a message whose body is still to be read: an error where magic, version or verb are not those of this
// release, or the size is not that of this verb's request or reply.
[[nodiscard]] Result<Header> decode_header(std::span<const std::byte> bytes, Kind kind = Kind::reply);

// A body of exactly its size, with nothing in it that the structures above do not allow.
template <class Body>
[[nodiscard]] Result<Body> decode_body(std::span<const std::byte> bytes);

// A text into a field that is all NUL. False, and nothing of it, where it does not fit with its NUL, or has one itself.
[[nodiscard]] bool put_whole(std::span<char> field, std::string_view text);

}  // namespace slurm_adopt::helper_wire
