// SPDX-License-Identifier: GPL-2.0-or-later
// What slurmrestd answers, its description of itself, its lists of nodes, and the URL where it is. The first byte chooses.
#include <algorithm>
#include <string>
#include <string_view>

#include "input.h"
#include "require.h"
#include "rest/api_version.h"
#include "rest/jobs_reader.h"
#include "rest/node_list.h"
#include "rest/rest_url.h"
#include "rest/text_source.h"
#include "slurm_adopt/text.h"

using namespace slurm_adopt;
using namespace slurm_adopt::rest;
using fuzz::require;

namespace {

Result<JobsAnswer> read(std::string_view text, std::size_t piece)
{
    test::TextSource source{std::string(text), piece};
    return read_jobs(source, {.uid = std::nullopt, .node = "n1"}, 1'800'000'000);
}

// About one job: with any answer the reply is one that the module takes.
void check_details(std::string_view text)
{
    test::TextSource source{std::string(text), 1000};
    const auto answer = read_jobs(source, {.uid = 2001, .node = "n1", .job_id = 1}, 1'800'000'000);
    if (!answer) return require(is_printable(answer.error().context), "what is wrong with it can be printed");
    require(answer.value().jobs.empty(), "no other jobs");
    if (!answer.value().details) return;
    require(answer.value().details->job_id == 1 && answer.value().details->uid == 2001, "that job of that user");
    const auto bytes = helper_wire::encode(helper_wire::Verb::job, *answer.value().details);
    require(helper_wire::decode_body<helper_wire::JobReply>(std::span(bytes).subspan(sizeof(helper_wire::Header))).ok(), "the module takes it");
}

void check_answer(std::string_view text)
{
    check_details(text);
    const auto answer = read(text, 4096);
    const auto pieces = read(text, 3);
    require(answer.ok() == pieces.ok(), "how it comes does not matter");
    if (!answer) {
        require(is_printable(answer.error().context), "what is wrong with it can be printed");
        require(answer.error().context == pieces.error().context, "nor for what is wrong with it");
        return;
    }
    require(answer.value().jobs == pieces.value().jobs, "nor for the jobs");
    require(answer.value().jobs.size() <= helper_wire::most_jobs, "no more than a reply holds");
    if (answer.value().error) require(is_printable(answer.value().error->text), "an error can be printed");
    helper_wire::JobsReply reply;
    reply.status = static_cast<std::uint32_t>(helper_wire::JobsStatus::answered);
    reply.count = static_cast<std::uint32_t>(answer.value().jobs.size());
    std::copy(answer.value().jobs.begin(), answer.value().jobs.end(), reply.jobs.begin());
    const auto bytes = helper_wire::encode(helper_wire::Verb::jobs, reply);
    require(helper_wire::decode_body<helper_wire::JobsReply>(std::span(bytes).subspan(sizeof(helper_wire::Header))).ok(), "the module takes it");
}

// The same as find_node(), by trying everything; of lists that can be read.
bool name_matches(std::string_view name, std::string_view node)
{
    if (name.empty()) return node.empty();
    if (name.front() != '[') return !node.empty() && name.front() == node.front() && name_matches(name.substr(1), node.substr(1));
    const std::size_t end = name.find(']');
    for (const std::string_view range : split(name.substr(1, end - 1), ','))
        for (std::size_t size = 1; size <= node.size() && size <= 18; ++size) {
            const std::string_view low = range.substr(0, range.find('-'));
            const std::string_view high = range.substr(range.find('-') + 1);
            const auto number = parse_number<std::uint64_t>(node.substr(0, size));
            if (!number) break;
            std::string shown = std::to_string(*number);
            if (shown.size() < low.size()) shown.insert(0, low.size() - shown.size(), '0');
            if (shown == node.substr(0, size) && *number >= *parse_number<std::uint64_t>(low) && *number <= *parse_number<std::uint64_t>(high) &&
                name_matches(name.substr(end + 1), node.substr(size)))
                return true;
        }
    return false;
}

bool list_has(std::string_view list, std::string_view node)
{
    std::string name;
    bool inside = false;
    for (const char c : std::string(list) + ',') {
        if (c == ',' && !inside) {
            if (!name.empty() && name_matches(name, node)) return true;
            name.clear();
            continue;
        }
        inside = c == '[' || (inside && c != ']');
        name += c;
    }
    return false;
}

void check_list(std::string_view list, std::string_view node)
{
    const Listed found = find_node(list, node);
    // Trying everything takes time.
    if (found == Listed::unreadable || node.empty() || node.size() > 12 || list.size() > 100) return;
    require((found == Listed::yes) == list_has(list, node), "a list has the nodes that it names");
}

void check_url(std::string_view text)
{
    const auto url = parse_rest_url(text);
    if (!url) return require(is_printable(url.error().context), "what is wrong with a URL can be printed");
    const std::string_view base = url.value().base;
    require(base.starts_with(url.value().is_encrypted ? "https://" : "http://"), "no other protocol");
    require(base.find_first_of("@?# \r\n\t") == std::string_view::npos, "no password, no query, one line");
    require(url.value().socket_path.empty() || url.value().socket_path.front() == '/', "an absolute path");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    const unsigned what = input.byte();
    if (what == 'l') {
        const std::string node(input.text());
        check_list(input.rest(), node);
    } else if (what == 'u') {
        check_url(input.rest());
    } else if (what == 'v') {
        test::TextSource source{std::string(input.rest())};
        const auto version = find_newer_version(source);
        require(!version || !version.value() || *version.value() > newest_version, "a newer one, or none");
    } else {
        check_answer(input.rest());
    }
    return 0;
}
