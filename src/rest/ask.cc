// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/ask.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "log.h"
#include "rest/api_version.h"
#include "rest/credential.h"
#include "rest/http.h"
#include "rest/jobs_reader.h"
#include "rest/privileges.h"
#include "rest/rest_url.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::rest {
namespace {

using namespace helper_wire;
using helper::log_debug;
using helper::log_error;

constexpr long http_ok = 200;
constexpr long http_unauthorized = 401;
constexpr long http_forbidden = 403;
constexpr long http_not_found = 404;
constexpr long http_network_authentication = 511;

struct Prepared {
    RestUrl url;
    Credential credential;
    Authorities authorities;
};

// An answer that is none, and why.
struct Failure {
    JobsStatus status = JobsStatus::failed;
    std::string why;
};

std::int64_t wall_clock()
{
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// All that root is needed for.
Result<Prepared> prepare(const JobsRequest& request)
{
    auto url = parse_rest_url(request.url.data());
    if (!url) return std::move(url).error();
    Prepared prepared{.url = std::move(url).value(), .credential = {}, .authorities = {}};
    if (!prepared.url.socket_path.empty()) {
        auto socket = check_socket_path(prepared.url.socket_path);
        if (!socket) return std::move(socket).error();
        prepared.url.socket_path = std::move(socket).value();
    }
    const std::string user = request.user.data();
    const std::string token_file = request.token_file.data();
    const std::int64_t now = wall_clock();
    auto credential = token_file.empty() ? mint_token(request.key_file.data(), user, now) : read_token(token_file, user, now);
    if (!credential) return std::move(credential).error();
    prepared.credential = std::move(credential).value();
    if (const std::string file = request.ca_file.data(); !file.empty()) {
        auto certificates = read_certificates(file);
        if (!certificates) return std::move(certificates).error();
        prepared.authorities = {file, std::move(certificates).value()};
    }
    return prepared;
}

Failure failure_of(const Error& error)
{
    switch (error.code) {
    case ErrorCode::timed_out:
    case ErrorCode::closed:
    case ErrorCode::untrusted: return {JobsStatus::unreachable, error.context};
    case ErrorCode::system: return {JobsStatus::failed, error.context};
    case ErrorCode::refused: return {JobsStatus::refused, error.context};
    case ErrorCode::protocol:
    case ErrorCode::too_large:
    case ErrorCode::malformed: break;
    }
    return {JobsStatus::malformed, "its answer " + error.context};
}

bool is_refusal(long status)
{
    return status == http_unauthorized || status == http_forbidden || status == http_network_authentication;
}

// Of Slurm's errors (slurm/slurm_errno.h): SLURM_PROTOCOL_AUTHENTICATION_ERROR, and what begins at ESLURM_AUTH_CRED_INVALID.
bool is_about_credentials(std::int64_t number)
{
    return number == 1007 || (number >= 6000 && number < 6100);
}

class Conversation {
public:
    Conversation(const Prepared& prepared, const Wanted& wanted, Deadline deadline)
        : credential_(prepared.credential), wanted_(wanted), http_(prepared.url, prepared.authorities, deadline)
    {
    }

    // The jobs, or what went wrong.
    [[nodiscard]] std::variant<Failure, JobsAnswer> ask();

private:
    void use_slurms_headers();
    void use_bearer();
    [[nodiscard]] std::string path() const { return wanted_.job_id == 0 ? jobs_path(version_) : job_path(version_, wanted_.job_id); }
    [[nodiscard]] Result<long> ask_for_jobs(std::uint32_t version);
    // The status of the first version that the server has; 404: it has none.
    [[nodiscard]] Result<long> find_version();
    [[nodiscard]] Result<long> find_by_description();
    [[nodiscard]] std::variant<Failure, JobsAnswer> judge(long status);

    const Credential& credential_;
    const Wanted& wanted_;
    Http http_;
    std::uint32_t version_ = 0;
};

void Conversation::use_slurms_headers()
{
    // 22.05 wants both of these and refuses Authorization; later releases take either the token or Authorization, never both.
    http_.use_headers({"Accept: application/json", "X-SLURM-USER-NAME: " + credential_.user,
                       "X-SLURM-USER-TOKEN: " + credential_.token});
}

void Conversation::use_bearer()
{
    http_.use_headers({"Accept: application/json", "Authorization: Bearer " + credential_.token});
}

Result<long> Conversation::ask_for_jobs(std::uint32_t version)
{
    version_ = version;
    use_slurms_headers();
    auto status = http_.get(path());
    if (!status || status.value() != http_unauthorized) return status;
    // What stands before slurmrestd, a gateway that checks tokens, may know this header only.
    log_debug("slurmrestd answers 401 to X-SLURM-USER-TOKEN, trying Authorization");
    use_bearer();
    return http_.get(path());
}

Result<long> Conversation::find_version()
{
    for (const std::uint32_t version : known_versions) {
        auto status = ask_for_jobs(version);
        if (!status || status.value() != http_not_found) return status;
    }
    return find_by_description();
}

Result<long> Conversation::find_by_description()
{
    use_slurms_headers();
    auto status = http_.get("/openapi/v3");
    if (!status) return status;
    if (status.value() != http_ok) return http_not_found;
    const auto version = find_newer_version(http_);
    // Some other server's page.
    if (!version && version.error().code == ErrorCode::malformed) return http_not_found;
    if (!version) return version.error();
    if (!version.value()) return http_not_found;
    log_debug("slurmrestd is newer than this program: v0.0." + std::to_string(*version.value()));
    return ask_for_jobs(*version.value());
}

std::variant<Failure, JobsAnswer> Conversation::judge(long status)
{
    const std::string http = "HTTP " + std::to_string(status);
    if (status == http_not_found)
        return Failure{JobsStatus::malformed, http + ": there is no slurmrestd there, or none with jobs in a version that we know"};
    if (status == http_unauthorized) return Failure{JobsStatus::refused, http + ": it does not take our token"};
    auto answer = read_jobs(http_, wanted_, http_.date().value_or(wall_clock()));
    const auto* error = answer && answer.value().error ? &*answer.value().error : nullptr;
    const std::string said = error == nullptr ? http : http + ": " + error->text + " (" + std::to_string(error->number) + ")";
    if (is_refusal(status) || (error != nullptr && is_about_credentials(error->number))) return Failure{JobsStatus::refused, said};
    // 22.05 knows no more of it: slurmctld does not take the token, or cannot be reached by slurmrestd.
    if (status != http_ok && error != nullptr && error->number == -1)
        return Failure{JobsStatus::refused, said + ": slurmctld does not take our token, or does not answer slurmrestd"};
    if (!answer && (status == http_ok || answer.error().code == ErrorCode::timed_out)) return failure_of(answer.error());
    if (status != http_ok || error != nullptr) return Failure{JobsStatus::malformed, said};
    if (!answer.value().has_list) return Failure{JobsStatus::malformed, "its answer has no list of jobs"};
    return std::move(answer).value();
}

std::variant<Failure, JobsAnswer> Conversation::ask()
{
    const auto status = find_version();
    if (!status) return failure_of(status.error());
    auto judged = judge(status.value());
    if (const auto* answer = std::get_if<JobsAnswer>(&judged))
        log_debug("slurmrestd v0.0." + std::to_string(version_) + " told of " + std::to_string(answer->jobs.size()) + " jobs on " +
                  printable(wanted_.node) + (answer->has_more ? ", and there are more" : ""));
    return judged;
}

template <class Reply>
Reply reply_with(JobsStatus status)
{
    Reply reply;
    reply.status = static_cast<std::uint32_t>(status);
    return reply;
}

JobsStatus fail(const JobsRequest& request, const Failure& failure, bool is_worth_a_line)
{
    const std::string line = "slurmrestd at " + printable(request.url.data()) + ": " + failure.why;
    // That nobody answers is for whoever looks for it: a controller may be down for maintenance.
    if (is_worth_a_line) log_error(line);
    else log_debug(line);
    return failure.status;
}

// The answer; or the status of none, and why is in the log.
std::variant<JobsStatus, JobsAnswer> ask(const JobsRequest& request, const Wanted& wanted, pid_t module, Deadline deadline)
{
    const auto prepared = prepare(request);
    if (!prepared) return fail(request, {JobsStatus::no_config, prepared.error().context}, true);
    if (prepared.value().url.socket_path.empty())
        if (const auto dropped = become_nobody(module); !dropped)
            return fail(request, {JobsStatus::failed, dropped.error().context}, true);
    if (const auto ready = Http::set_up(); !ready) return fail(request, {JobsStatus::failed, ready.error().context}, true);

    // Never destroyed: see Http.
    auto& conversation = *new Conversation(prepared.value(), wanted, deadline);  // NOLINT(cppcoreguidelines-owning-memory)
    auto outcome = conversation.ask();
    if (const auto* failure = std::get_if<Failure>(&outcome)) {
        const bool is_silence = failure->status == JobsStatus::unreachable && !failure->why.starts_with("TLS: ");
        return fail(request, *failure, !is_silence);
    }
    return std::get<JobsAnswer>(std::move(outcome));
}

}  // namespace

JobsReply answer(const JobsRequest& request, pid_t module, Deadline deadline)
{
    const Wanted wanted{.uid = request.uid == every_uid ? std::nullopt : std::optional(request.uid), .node = request.node.data()};
    const auto outcome = ask(request, wanted, module, deadline);
    if (const auto* status = std::get_if<JobsStatus>(&outcome)) return reply_with<JobsReply>(*status);
    const auto& jobs = std::get<JobsAnswer>(outcome).jobs;
    auto reply = reply_with<JobsReply>(JobsStatus::answered);
    reply.count = static_cast<std::uint32_t>(jobs.size());
    std::copy(jobs.begin(), jobs.end(), reply.jobs.begin());
    return reply;
}

JobReply answer(const JobRequest& request, pid_t module, Deadline deadline)
{
    const Wanted wanted{.uid = request.about.uid, .node = request.about.node.data(), .job_id = request.job_id};
    const auto outcome = ask(request.about, wanted, module, deadline);
    if (const auto* status = std::get_if<JobsStatus>(&outcome)) return reply_with<JobReply>(*status);
    return std::get<JobsAnswer>(outcome).details.value_or(reply_with<JobReply>(JobsStatus::answered));
}

}  // namespace slurm_adopt::rest
