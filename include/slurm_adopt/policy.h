// SPDX-License-Identifier: GPL-2.0-or-later
// The policy: pure functions from facts to a decision. No PAM, no sockets, no files, no clock.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "slurm_adopt/options.h"
#include "slurm_adopt/reason.h"

namespace slurm_adopt {

// Zeroed memory is a refusal, and no flipped bit turns one verdict into another.
enum class Verdict : std::uint32_t {
    deny = 0,             // PAM_PERM_DENIED, or PAM_USER_UNKNOWN for Reason::unknown_user
    ignore = 0x3a5c96e1,  // PAM_IGNORE
    allow = 0x5c3ae196,   // PAM_SUCCESS without an adoption, because an option says so
    adopt = 0x96e15c3a,   // PAM_SUCCESS after an adoption
};

struct Decision {
    Verdict verdict = Verdict::deny;
    Reason reason = Reason::internal_error;
};

// Who logs in, as far as it matters before any job is looked at.
struct Subject {
    std::string_view service;  // PAM_SERVICE
    std::string_view user;     // PAM_USER
    bool in_exempt_group = false;
    bool is_listed = false;     // in a file that exempt_users= names
};

// The decision for those whom the module leaves alone; none for everybody else.
[[nodiscard]] std::optional<Decision> pass_over(const Options& options, const Subject& subject);

// One of the user's own jobs on this node.
struct OwnJob {
    std::uint32_t job_id = 0;
    std::int64_t began_ns = 0;  // when its extern step began here, nanoseconds since the epoch
};

struct Candidacy {
    std::size_t job = 0;  // an index into the jobs
    Reason reason = Reason::internal_error;  // what the login ends with if this one adopts

    friend bool operator==(const Candidacy&, const Candidacy&) = default;
};

// Which jobs to try, in this order. When none is left, `otherwise` is what the login ends with; Reason::adopt_failed
// stands for the failure of the last one.
struct Choice {
    std::vector<Candidacy> candidates;
    Reason otherwise = Reason::internal_error;
};

// The job that a login belongs to by some evidence: the source node's answer (source_job), the account phase's choice
// (account_job), where the process is (current_job), the user's own word (file_job), or where another login from the same client
// is (sticky).
struct KnownJob {
    std::uint32_t job_id = 0;
    Reason reason = Reason::internal_error;
};

// Which of the user's jobs a login may be adopted into. Whoever says so, a known job only counts if it is one of these.
[[nodiscard]] Choice choose(const Options& options, std::span<const OwnJob> jobs, const std::optional<KnownJob>& known);

// What is asked for the known job. The first that names one of the user's own jobs here ends the search.
enum class Evidence {
    source,   // the source node
    process,  // the job that the process is in already
    file,     // the user's file; with several jobs only
    sticky,   // the job that another login from the same client is in; with several jobs only
};

// What these options have asked, in this order.
[[nodiscard]] std::vector<Evidence> evidence_order(const Options& options);

// Whether the newest job is taken where no job is known.
[[nodiscard]] bool takes_newest(const Options& options);

// Whether a job has to be known before choose().
[[nodiscard]] bool source_matters(const Options& options, std::size_t jobs);

// What an outcome that is no adoption means under these options.
[[nodiscard]] Decision conclude_failure(const Options& options, Reason reason);

// Whether a failure would let a user in unconfined under these options.
[[nodiscard]] bool fails_open(const Options& options);

}  // namespace slurm_adopt
