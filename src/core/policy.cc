// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/policy.h"

#include <algorithm>
#include <numeric>

namespace slurm_adopt {
namespace {

template <class Element, class Entry>
bool contains(const std::vector<Element>& list, const Entry& entry)
{
    return std::find(list.begin(), list.end(), entry) != list.end();
}

Verdict verdict_of(Action action)
{
    switch (action) {
    case Action::ignore:
        return Verdict::ignore;
    case Action::allow:
        return Verdict::allow;
    case Action::newest:  // there is no newest job to fall back to: the caller tried them all
    case Action::deny:
        break;
    }
    return Verdict::deny;
}

}  // namespace

std::optional<Decision> pass_over(const Options& options, const Subject& subject)
{
    if (!contains(options.service, "*") && !contains(options.service, subject.service))
        return Decision{Verdict::ignore, Reason::service};
    if (subject.is_listed || contains(options.exempt_users, subject.user)) return Decision{Verdict::ignore, Reason::exempt_user};
    if (subject.in_exempt_group) return Decision{Verdict::ignore, Reason::exempt_group};
    return std::nullopt;
}

std::vector<Evidence> evidence_order(const Options& options)
{
    std::vector<Evidence> order;
    const auto add_chooser = [&order](Chooser chooser) {
        switch (chooser) {
        case Chooser::callerid:
            // Below srun and in a job's session there is no connection to ask about: the process itself says where it comes from.
            order.insert(order.end(), {Evidence::source, Evidence::process});
            return;
        case Chooser::file:
            order.push_back(Evidence::file);
            return;
        case Chooser::newest:  // is no evidence: takes_newest()
            return;
        }
    };
    if (options.choose.empty()) {
        add_chooser(Chooser::callerid);
        if (options.job_choice == JobChoice::file) add_chooser(Chooser::file);
    }
    for (const Chooser chooser : options.choose) add_chooser(chooser);
    // It asks nobody, and nobody is torn out of his job for want of other evidence.
    if (!contains(order, Evidence::process)) order.push_back(Evidence::process);
    if (options.sticky) order.push_back(Evidence::sticky);
    return order;
}

bool takes_newest(const Options& options)
{
    return options.action_unknown == Action::newest || contains(options.choose, Chooser::newest);
}

bool source_matters(const Options& options, std::size_t jobs)
{
    const bool asks_source = options.choose.empty() || contains(options.choose, Chooser::callerid);
    return jobs > 1 || (jobs == 1 && !options.single_job_skip_rpc && asks_source);
}

Choice choose(const Options& options, std::span<const OwnJob> jobs, const std::optional<KnownJob>& known)
{
    if (jobs.empty()) return {{}, Reason::no_jobs};
    // A job that is not the user's is none: the remote slurmd may say what it likes.
    const auto is_known = [&](const OwnJob& job) { return known && known->job_id == job.job_id; };
    if (!source_matters(options, jobs.size()))
        return {{{0, is_known(jobs[0]) ? known->reason : Reason::one_job}}, Reason::adopt_failed};

    // The newest first. The older ones stay candidates: they are the user's own too, and better than a refusal
    // when the newest one's slurmstepd is stuck.
    std::vector<std::size_t> order(jobs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (jobs[a].began_ns != jobs[b].began_ns) return jobs[a].began_ns > jobs[b].began_ns;
        return jobs[a].job_id > jobs[b].job_id;
    });

    const bool newest = takes_newest(options);
    // That the account phase's job cannot be had any more is no reason to ask what it was.
    const bool was_chosen = known && known->reason == Reason::account_job && std::any_of(jobs.begin(), jobs.end(), is_known);
    Choice choice{{}, newest || was_chosen ? Reason::adopt_failed : Reason::unknown_job};
    for (const std::size_t job : order)
        if (is_known(jobs[job])) choice.candidates.push_back({job, known->reason});
    if (!newest) return choice;
    for (const std::size_t job : order)
        if (!is_known(jobs[job])) choice.candidates.push_back({job, jobs.size() == 1 ? Reason::one_job : Reason::newest_job});
    return choice;
}

Decision conclude_failure(const Options& options, Reason reason)
{
    switch (failure_class(reason)) {
    case FailureClass::no_jobs:
        return {verdict_of(options.action_no_jobs), reason};
    case FailureClass::unknown_job:
        return {verdict_of(options.action_unknown), reason};
    case FailureClass::adopt_failure:
        // strict is stronger than the action: the safe reading of two options that contradict each other.
        return {options.strict ? Verdict::deny : verdict_of(options.action_adopt_failure), reason};
    case FailureClass::generic_failure:
        return {options.strict ? Verdict::deny : verdict_of(options.action_generic_failure), reason};
    case FailureClass::bad_config:    // a typo must never open a node
    case FailureClass::unknown_user:  // nobody can own a job without being somebody
    case FailureClass::none:          // not a failure: whoever asks is confused
        break;
    }
    return {Verdict::deny, reason};
}

bool fails_open(const Options& options)
{
    return conclude_failure(options, Reason::adopt_failed).verdict != Verdict::deny ||
           conclude_failure(options, Reason::internal_error).verdict != Verdict::deny;
}

}  // namespace slurm_adopt
