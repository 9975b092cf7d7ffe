// SPDX-License-Identifier: GPL-2.0-or-later
// The account phase: may this login enter, and into which job? And the session phase: is it there still, or again?
// login_phase.cc is what both have in common, exempt.cc finds out who is left alone, import_env.cc brings the job's variables, telling.cc tells the user, choice.cc finds out which of several jobs it is, session.cc is the session's,
// without_step.cc what is left to do for who has no job here.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host.h"
#include "node_access.h"
#include "slurm_adopt/adoption.h"
#include "slurm_adopt/controller_view.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/messages.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/own_steps.h"
#include "slurm_adopt/policy.h"
#include "slurm_adopt/users.h"

namespace slurm_adopt {

enum class Phase {
    account,  // pam_sm_acct_mgmt(3)
    session,  // pam_sm_open_session(3)
};

class LoginPhase {
public:
    // Whether it is root who logs in is known from here on, without asking anybody and without memory: no typo and no
    // dead directory server locks root out.
    LoginPhase(Host& host, NodeAccess& node, Roots roots, Phase phase)
        : host_(host), node_(node), roots_(std::move(roots)), phase_(phase), is_root_(host.user() == "root")
    {
    }

    // Decides about this process's login, adopts it, writes the log and tells the user. Arguments are those of the
    // PAM line. Throws only what the standard library throws; then conclude() says what the login ends with.
    [[nodiscard]] Decision run(std::span<const std::string_view> arguments);

    // The end of a session: what run() has made for it goes with it.
    void close(std::span<const std::string_view> arguments);

    // The decision after run() was left by an exception: never anything that needs memory.
    [[nodiscard]] Decision conclude(Reason reason) const noexcept;

    [[nodiscard]] const char* name() const { return phase_ == Phase::account ? "account" : "session"; }

private:
    // What one look at the node's extern steps led to.
    struct Look {
        Decision decision;
        std::vector<std::string> ended_steps{};  // sockets of steps that would not adopt us any more: worth another look
    };

    [[nodiscard]] Decision decide(std::span<const std::string_view> arguments);
    [[nodiscard]] std::optional<Decision> decide_before_jobs(const Result<std::optional<User>>& user);
    [[nodiscard]] Decision decide_by_jobs(uid_t uid);
    // Looks for the user's steps and has the process adopted; and looks once more where a step ended meanwhile.
    [[nodiscard]] Decision find_and_adopt(uid_t uid, Deadline deadline);
    [[nodiscard]] Decision decide_without_step(uid_t uid, Deadline deadline);
    [[nodiscard]] Outlook ask_outlook(uid_t uid, Deadline deadline);
    // None: nothing has come. `deadline` is that of a login that does not wait.
    [[nodiscard]] std::optional<Decision> wait_for_step(uid_t uid, Deadline deadline, std::chrono::seconds worth_waiting);
    [[nodiscard]] Decision decide_session(uid_t uid);
    // None where the session has to be looked for a job.
    [[nodiscard]] std::optional<Decision> stays_where_it_is(const TakenJob& taken);
    [[nodiscard]] Decision conclude_without_jobs();
    [[nodiscard]] const TakenJob* taken_by_this_process() const;
    // In the namespaces of the job that an earlier phase took: no other job, and no unconfined session, can follow.
    [[nodiscard]] bool is_in_namespaces() const;
    [[nodiscard]] std::string own_session_key() const;
    [[nodiscard]] Look look_and_adopt(uid_t uid, Deadline deadline);
    [[nodiscard]] Look adopt_into_one_of(std::vector<StepdSession>& sessions, const Choice& choice, Deadline deadline);
    [[nodiscard]] AdoptionRequest request_for() const;
    // False where a session could not know any more which namespaces it is in.
    [[nodiscard]] bool remember(Adoption adoption);
    [[nodiscard]] std::optional<KnownJob> known_job(const std::vector<StepdSession>& sessions, Deadline deadline, Deadline limit);
    [[nodiscard]] std::optional<std::uint32_t> job_of_account_phase() const;
    [[nodiscard]] std::optional<std::uint32_t> job_of_process(const std::vector<StepdSession>& sessions) const;
    [[nodiscard]] Choice choose_among(const std::vector<StepdSession>& sessions, Deadline deadline);
    // The decision for who is left alone. None for everybody else, and for the exempt whose jobs are to be looked for: exempt_.
    [[nodiscard]] std::optional<Decision> find_exemption(const Result<std::optional<User>>& user);
    [[nodiscard]] bool is_listed();
    [[nodiscard]] bool exempt_by_group(const User& user);
    // What an exempt user ends with whom no job has adopted, which the log is told unless there is none.
    [[nodiscard]] Decision pass_exempt(Reason why);
    // The names in a list; none where something is wrong with it.
    [[nodiscard]] std::vector<std::string> read_list(const char* option, const std::string& file);
    // Where no job has adopted the process: false if it is where no session can begin.
    [[nodiscard]] bool may_begin_elsewhere() const noexcept;
    // The job that another login of the client is in (sticky.cc).
    [[nodiscard]] std::optional<std::uint32_t> sticky_job(const std::vector<StepdSession>& sessions, Deadline deadline);
    // `limit`: until when the helper may be waited for.
    [[nodiscard]] std::optional<std::uint32_t> find_source_job(const std::vector<StepdSession>& sessions, Deadline deadline,
                                                               Deadline limit);
    // The job that the user has named in a file. Where that does not count: said to the log, and kept for tell().
    [[nodiscard]] std::optional<std::uint32_t> find_named_job(const std::vector<StepdSession>& sessions, Deadline deadline);
    [[nodiscard]] std::vector<std::int64_t> find_starts(const std::vector<StepdSession>& sessions, Deadline limit);
    void warn_of_foreign_source(std::uint32_t job_id, Deadline deadline);
    void set_up_environment(Adoption& adoption, const std::string& node, Deadline deadline);
    // `job_before`: what SLURM_JOB_ID was in PAM's environment before this adoption.
    void import_environment(Adoption& adoption, const std::string& node, const std::string& job_before, Deadline deadline);
    // What the controller knows of the job, as an environ; empty where it is not asked, or does not answer.
    [[nodiscard]] std::string controllers_view(Deadline deadline);
    void forget_imported();
    void give_runtime_dir(const User& user);
    void report();
    void tell();
    void tell_site_message();

    void log(LogLevel level, Priority priority, const std::string& line);
    // What every look at the steps would say again.
    void log_once(LogLevel level, Priority priority, const std::string& line);

    Host& host_;
    NodeAccess& node_;
    Roots roots_;
    Phase phase_;
    bool is_root_;
    Options options_;
    bool options_valid_ = false;
    bool is_in_ending_step_ = false;
    bool is_joining_ = false;  // the job's namespaces, so that an exception leaves the process nobody knows where
    std::optional<Decision> exempt_;  // exempt_adopt=: what the login ends with if no job adopts it
    std::string session_key_;  // of this process, by /proc as it was before the job's namespaces were joined
    std::vector<std::string> logged_once_;
    LoginRecord record_;
    User user_;  // with job_choice=file only
    std::string choice_note_;  // for the user: why the named job was not taken
};

}  // namespace slurm_adopt
