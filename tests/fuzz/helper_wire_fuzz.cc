// SPDX-License-Identifier: GPL-2.0-or-later
// Messages between module and helper, in both directions: a byte that says which, then header and body.
#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "input.h"
#include "require.h"
#include "slurm_adopt/helper_wire.h"

using namespace slurm_adopt::helper_wire;
using slurm_adopt::fuzz::require;

namespace {

template <class Body>
void check_body(Verb verb, const Header& header, std::span<const std::byte> whole)
{
    const auto body = decode_body<Body>(whole.subspan(sizeof(Header)));
    if (!body) return;
    const auto again = encode(verb, body.value(), header.module_pid, header.log_level);
    require(std::equal(again.begin(), again.end(), whole.begin(), whole.end()), "encoded again it is the same bytes");
    if constexpr (std::is_same_v<Body, TimesReply>) {
        const auto& times = body.value();
        require(times.unused == 0 && times.count <= most_steps, "what is not used is zero");
        require(std::all_of(times.began_ns.begin() + times.count, times.began_ns.end(), [](std::int64_t ns) { return ns == 0; }), "what is not used is zero");
    }
    if constexpr (std::is_same_v<Body, JobsReply>) {
        const auto& jobs = body.value();
        require(jobs.count <= most_jobs, "no more jobs than there is room for");
        require(std::all_of(jobs.jobs.begin(), jobs.jobs.begin() + jobs.count, [](const ControllerJob& job) { return job.job_id != 0; }), "a job has a number");
    }
    if constexpr (std::is_same_v<Body, JobReply>) {
        const auto& job = body.value();
        require(job.name.back() == '\0' && job.partition.back() == '\0' && job.account.back() == '\0' && job.nodes.back() == '\0', "texts end");
        require(job.job_id == 0 || job.status == static_cast<std::uint32_t>(JobsStatus::answered), "a job is an answer");
    }
    if constexpr (std::is_same_v<Body, ConfigReply>) {
        const auto& config = body.value();
        require(config.peer_count <= most_peers && config.spool_dir.back() == '\0' && config.own.name.back() == '\0', "within bounds");
    }
}

template <class Request, class Reply>
void check_either(Kind kind, const Header& header, std::span<const std::byte> whole)
{
    const auto verb = static_cast<Verb>(header.verb);
    kind == Kind::request ? check_body<Request>(verb, header, whole) : check_body<Reply>(verb, header, whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    slurm_adopt::fuzz::Input input(data, size);
    const Kind kind = input.byte() % 2 == 0 ? Kind::reply : Kind::request;
    const auto whole = slurm_adopt::fuzz::bytes_of(input.rest());
    const auto header = decode_header(whole.first(std::min(whole.size(), sizeof(Header))), kind);
    if (!header) return 0;
    require(header.value().magic == magic && header.value().version == version, "of this release");
    require(header.value().log_level <= highest_log_level && header.value().module_pid >= 0, "within bounds");
    // As the module does: a message that is for another verb or direction is decoded as neither.
    if (whole.size() - sizeof(Header) > sizeof(JobReply)) return 0;
    switch (static_cast<Verb>(header.value().verb)) {
    case Verb::whois: check_either<WhoisRequest, WhoisReply>(kind, header.value(), whole); return 0;
    case Verb::times: check_either<TimesRequest, TimesReply>(kind, header.value(), whole); return 0;
    case Verb::jobs: check_either<JobsRequest, JobsReply>(kind, header.value(), whole); return 0;
    case Verb::job: check_either<JobRequest, JobReply>(kind, header.value(), whole); return 0;
    case Verb::config: check_either<ConfigRequest, ConfigReply>(kind, header.value(), whole); return 0;
    }
    require(false, "one of five verbs");
    return 0;
}
