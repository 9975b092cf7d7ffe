// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/own_steps.h"

#include <algorithm>

#include "slurm_adopt/evidence.h"
#include "slurm_adopt/probe.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

void note(std::vector<std::string>& warnings, const std::vector<std::string>& which, const char* what)
{
    if (which.empty()) return;
    std::string text = std::to_string(which.size()) + ' ' + what + ", e.g. " + printable(which.front());
    // Two rounds may see the same: said once.
    if (std::find(warnings.begin(), warnings.end(), text) == warnings.end()) warnings.push_back(std::move(text));
}

class Search {
public:
    Search(const Roots& roots, const std::string& spool_dir, const std::string& nodename, uid_t uid, Deadline deadline)
        : roots_(roots), spool_dir_(spool_dir), nodename_(nodename), uid_(uid), deadline_(deadline)
    {
    }

    // Where the kernel's tree names the user's jobs, and slurmd has its sockets where it usually has them, nobody has to
    // be listed: on a node with many jobs that is most of a login. True if that is all there is to know; if not, it is as if
    // nobody had been asked.
    bool ask_expected()
    {
        Evidence evidence(roots_, uid_);
        const auto jobs = evidence.own_jobs(nodename_);
        if (jobs.empty()) return false;
        if (!spool_dir_.empty()) return ask_expected_in(spool_dir_, jobs, evidence);
        return std::any_of(roots_.spool_dirs.begin(), roots_.spool_dirs.end(),
                           [&](const char* directory) { return ask_expected_in(directory, jobs, evidence); });
    }

    // Asks those of the current list that pass `worth_asking` and have not been asked before.
    template <class WorthAsking>
    Result<Done> round(WorthAsking worth_asking)
    {
        Evidence evidence(roots_, uid_);
        const auto wanted = [&](const StepSocketView& socket) { return worth_asking(evidence, socket); };
        auto found = discover(roots_, spool_dir_, nodename_, deadline_, wanted);
        if (!found) return std::move(found).error();

        // Fakes are found by their files where the kernel does not tell; else only those worth asking are looked at.
        const bool owners_known = found.value().owners_known;
        Discovery seen = look_at_files(std::move(found).value());
        std::erase_if(seen.candidates, [&](const Candidate& candidate) {
            return (!owners_known && !wanted(candidate.socket.view())) ||
                   std::binary_search(asked_.begin(), asked_.end(), candidate.path());
        });
        note(steps_.warnings, seen.planted, "socket(s) named like a slurmstepd's but not root's: ignored");
        for (const Candidate& candidate : seen.candidates) asked_.push_back(candidate.path());
        std::sort(asked_.begin(), asked_.end());
        if (!seen.candidates.empty()) take(probe(roots_, std::move(seen.candidates), uid_, deadline_), evidence);
        return Done{};
    }

    bool found_any() const { return !steps_.sessions.empty(); }
    OwnSteps result() && { return std::move(steps_); }

private:
    bool ask_expected_in(const std::string& directory, const std::vector<JobOnNode>& jobs, Evidence& evidence)
    {
        Discovery expected;
        expected.candidates.reserve(jobs.size());
        for (const JobOnNode& job : jobs) expected.candidates.push_back({extern_socket_in(directory, job.node, job.job_id), 0});
        expected = look_at_files(std::move(expected));
        if (expected.candidates.size() != jobs.size()) return false;
        ProbeReport report = probe(roots_, std::move(expected.candidates), uid_, deadline_);
        // One that is not there after all has ended, or is somewhere else.
        const bool all = report.own.size() + report.silent.size() + report.unusable.size() + report.untrusted.size() +
                             report.ending.size() ==
                         jobs.size();
        if (report.own.empty() || !all) return false;
        take(std::move(report), evidence);
        return true;
    }

    void take(ProbeReport report, Evidence& evidence)
    {
        std::vector<std::string> silent;
        for (const SilentStep& step : report.silent) {
            silent.push_back(step.candidate.path());
            if (step.own_by_kernel || evidence.hint(step.candidate.socket.view()) == Hint::own) ++steps_.silent;
        }
        std::vector<std::string> unusable;
        for (const UnusableStep& step : report.unusable) {
            unusable.push_back(step.candidate.path() + ": " + step.why);
            if (!step.ended && evidence.hint(step.candidate.socket.view()) == Hint::own) ++steps_.silent;
        }
        note(steps_.warnings, silent, "extern step(s) did not answer");
        note(steps_.warnings, report.untrusted, "socket(s) named like a slurmstepd's are not served by root: ignored");
        note(steps_.warnings, unusable, "extern step(s) could not be asked");
        for (const Candidate& candidate : report.ending) steps_.ending.push_back(candidate.socket.job_id);
        std::move(report.own.begin(), report.own.end(), std::back_inserter(steps_.sessions));
    }

    const Roots& roots_;
    const std::string& spool_dir_;
    const std::string& nodename_;
    uid_t uid_;
    Deadline deadline_;
    std::vector<std::string> asked_;  // sorted
    OwnSteps steps_;
};

}  // namespace

Result<OwnSteps> find_own_steps(const Roots& roots, const std::string& spool_dir, const std::string& nodename, uid_t uid,
                                Deadline deadline)
{
    Search search(roots, spool_dir, nodename, uid, deadline);
    if (search.ask_expected()) return std::move(search).result();
    auto likely = search.round([](Evidence& evidence, const StepSocketView& socket) {
        return evidence.hint(socket) != Hint::foreign;
    });
    if (!likely) return std::move(likely).error();
    if (!search.found_any()) {
        // A fresh list: /proc/net/unix is not read in one piece, and a step may have begun meanwhile.
        auto rest = search.round([](Evidence& evidence, const StepSocketView& socket) { return !evidence.is_foreign(socket); });
        if (!rest) return std::move(rest).error();
    }
    return std::move(search).result();
}

std::optional<uid_t> owner_of_job(const Roots& roots, const std::string& spool_dir, const std::string& nodename,
                                  std::uint32_t job_id, Deadline deadline)
{
    auto found = discover(roots, spool_dir, nodename, deadline,
                          [job_id](const StepSocketView& socket) { return socket.job_id == job_id; });
    if (!found) return std::nullopt;
    std::erase_if(found.value().candidates, [job_id](const Candidate& candidate) { return candidate.socket.job_id != job_id; });
    const Deadline soon = deadline.sooner(Deadline::after(probe_grace));
    // The kernel may not have told which of them are a user's own.
    for (const Candidate& candidate : look_at_files(std::move(found).value()).candidates)
        if (const auto owner = ask_owner(candidate, soon)) return owner;
    return std::nullopt;
}

}  // namespace slurm_adopt
