// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "reason_words.h"
#include "slurm_adopt/job_file.h"
#include "slurm_adopt/text.h"
#include "slurm_adopt/users.h"
#include "survey/controller_jobs.h"

namespace slurm_adopt::tool {
namespace {

std::string milliseconds(Microseconds took)
{
    return fmt::format("{:.2f} ms", static_cast<double>(took.count()) / 1000);
}

// Slurm's name of a protocol version: stepd_protocol.h. One that is not known here yet keeps its number.
std::string release_of(std::int32_t protocol)
{
    constexpr std::string_view names[] = {"22.05", "23.02", "23.11", "24.05", "24.11", "25.05", "25.11", "26.05"};
    constexpr std::int32_t first = 38;
    const std::int32_t index = (protocol >> 8) - first;
    if (index < 0 || index >= static_cast<std::int32_t>(std::size(names))) return fmt::format("protocol {}", protocol);
    return fmt::format("Slurm {}", names[static_cast<std::size_t>(index)]);
}

std::string joined(const std::vector<std::string>& words, std::string_view separator)
{
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
    return text;
}

class Text {
public:
    Text(const Explanation& explanation, const Output& output) : what_(explanation), output_(output) {}

    std::vector<std::string> all() &&
    {
        stack();
        options();
        head("user", what_.uid ? fmt::format("{}, uid {}, service {}", printable(what_.user), *what_.uid, what_.service)
                               : fmt::format("{}, of no uid, service {}", printable(what_.user), what_.service));
        head("source", (what_.has_connection ? "" : "not asked: ") + printable(what_.source_note));
        for (const Step& step : what_.run.steps) add(step);
        others();
        for (const std::string& line : what_.run.log) head("log", printable_line(line));
        for (const std::string& line : what_.run.told) head("told", printable_line(line));
        for (const std::string& line : what_.run.unseen) head("unseen", "only root can see " + printable(line));
        const std::string word(verdict_word(what_.run.decision.verdict));
        head("decision", fmt::format("{} {} [{}]", output_.coloured(what_.let_in ? Colour::good : Colour::bad, word),
                                     reason_code(what_.run.decision.reason), milliseconds(what_.run.took)));
        head("", what_.outcome);
        if (what_.uncertain) head("", output_.coloured(Colour::warning, "Not everything could be seen: ask as root."));
        return std::move(lines_);
    }

private:
    static constexpr std::size_t widest = 100;  // of a line that can be broken

    void head(std::string_view title, std::string_view text) { lines_.push_back(fmt::format("{:<10}{}", title, text)); }

    // As printable(), at any length: nothing of a PAM line or of a message may be missing.
    static std::string printable_line(const std::string& line)
    {
        std::string text = line;
        std::replace_if(
            text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
        return text;
    }

    void stack()
    {
        if (what_.stack && !what_.stack->lines.empty()) {
            const pam_stack::Line& line = what_.stack->lines.front();
            head("PAM line", fmt::format("{}: {}", printable_line(line.place.text()), line.text()));
        }
        if (!what_.stack_note.empty()) head("PAM line", output_.coloured(Colour::warning, printable_line(what_.stack_note)));
    }

    void options()
    {
        std::vector<std::string> given;
        std::vector<std::string> defaults;
        for (const OptionInForce& option : what_.options)
            (option.from_line ? given : defaults)
                .push_back(fmt::format("{}={}", option.name, option.value.empty() ? "-" : printable_line(option.value)));
        head("options", given.empty() ? "all are the defaults" : joined(given, " "));
        for (const std::string& error : what_.option_errors) head("", output_.coloured(Colour::bad, printable_line(error)));
        std::string line = "defaults:";
        for (const std::string& option : defaults) {
            if (line.size() + option.size() > widest) {
                head("", output_.coloured(Colour::faint, line));
                line.clear();
            }
            line += (line.empty() ? "" : " ") + option;
        }
        head("", output_.coloured(Colour::faint, line));
    }

    void add(const Step& step)
    {
        const std::string took = output_.coloured(Colour::faint, fmt::format("[{}]", milliseconds(step.took)));
        switch (step.kind) {
        case StepKind::before_jobs: return head("before", "options, user and exemptions: the jobs decide " + took);
        case StepKind::jobs: return jobs(*step.jobs, took);
        case StepKind::source: return source(*step.source, took);
        case StepKind::file: return file(*step.file, took);
        case StepKind::choice: return choice(*step.choice, took);
        case StepKind::adoption: return adoption(*step.adoption, took);
        case StepKind::controller: return controller(*step.controller, took);
        case StepKind::wait:
            return head("wait", fmt::format("up to {} s for an extern step of {}; not waited for now {}", step.wait->at_most.count(),
                                            printable(what_.user), took));
        }
    }

    void jobs(const SeenSteps& seen, const std::string& took)
    {
        if (!seen.error.empty()) return head("jobs", "cannot be listed: " + printable(seen.error) + ' ' + took);
        head("jobs", fmt::format("{} of {} on this node{} {}", seen.jobs.size(), printable(what_.user),
                                 (seen.ending.empty() ? "" : fmt::format(", {} more that are ending", seen.ending.size())) +
                                     (seen.silent > 0 ? fmt::format(", {} more that do not answer", seen.silent) : ""),
                                 took));
        for (const SeenJob& job : seen.jobs) {
            head("", fmt::format("job {}: its slurmstepd (pid {}, {}) says so{}", job.job_id, job.stepd,
                                 release_of(job.protocol),
                                 job.owner_by_kernel ? fmt::format("; its cgroup says uid {}", *job.owner_by_kernel) : ""));
            for (const std::string& directory : job.step) head("", "  " + printable(directory));
        }
        for (const std::string& warning : seen.warnings) head("", output_.coloured(Colour::warning, printable(warning)));
    }

    void source(const SeenSource& seen, const std::string& took)
    {
        if (!seen.answer) return head("answer", "none: " + printable(seen.error) + ' ' + took);
        switch (seen.answer->kind) {
        case SourceAnswer::Kind::no_job: return head("answer", "the source node names no job for this connection " + took);
        case SourceAnswer::Kind::not_a_node: return head("answer", "the source is no node of slurm.conf: not asked " + took);
        case SourceAnswer::Kind::job:
            return head("answer", fmt::format("the source node names job {} {}", seen.answer->job_id, took));
        }
    }

    void file(const SeenFile& seen, const std::string& took)
    {
        const std::string shown = fmt::format("~{}/{}", printable(what_.user), job_file_shown);
        head("file", seen.job             ? fmt::format("{} names job {} {}", shown, *seen.job, took)
                     : seen.error.empty() ? fmt::format("{} is not there: the user names no job {}", shown, took)
                                          : fmt::format("{} does not count: {} {}", shown, printable(seen.error), took));
    }

    void choice(const SeenChoice& seen, const std::string& took)
    {
        const auto& steps = what_.run.steps;
        const bool asked =
            std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.kind == StepKind::source; });
        if (what_.has_connection && !asked)
            head("answer", seen.jobs.size() > 1
                               ? "the source node is not asked: choose= does not name callerid, or something before it says which job"
                               : "the source node is not asked: with one job it makes no difference (single_job_skip_rpc)");
        head("choice",
             (seen.candidates.empty() ? "no job: " + std::string(words_of(seen.otherwise)) : "in this order:") + ' ' + took);
        bool is_first = true;
        for (const SeenCandidate& candidate : seen.candidates) {
            const auto job = std::find_if(seen.jobs.begin(), seen.jobs.end(),
                                          [&](const OwnJob& one) { return one.job_id == candidate.job_id; });
            const std::string began =
                job != seen.jobs.end() && job->began_ns != 0 ? ", began " + local_time(job->began_ns) : "";
            head("", fmt::format("job {}{} ({}): {}", candidate.job_id, began, reason_code(candidate.reason),
                                 is_first ? words_of(candidate.reason) : "should those before it fail"));
            is_first = false;
        }
    }

    void adoption(const SeenAdoption& seen, const std::string& took)
    {
        if (!seen.would_be_asked)
            return head("adoption", fmt::format("job {} cannot ({}): {} {}", seen.job_id, reason_code(seen.failure),
                                                printable(seen.detail), took));
        head("adoption", fmt::format("job {} would be asked to adopt{}; not asked now {}", seen.job_id,
                                     seen.verifiable ? "" : ", and nothing could confirm it", took));
    }

    void controller(const SeenController& seen, const std::string& took)
    {
        const std::string_view who = seen.by_rest ? "slurmrestd" : "slurmctld";
        if (!seen.jobs) return head("cluster", fmt::format("{} says nothing: {} {}", who, printable(seen.error), took));
        head("cluster", fmt::format("{} knows {} job(s) of {} on this node {}", who, seen.jobs->size(), printable(what_.user), took));
        for (const helper_wire::ControllerJob& job : *seen.jobs)
            head("", fmt::format("job {}: {}, {} s old, without an extern step here", job.job_id, state_word(job), job.running_s));
    }

    void others()
    {
        if (!what_.others) return;
        for (const ExternStep& step : what_.others->steps) {
            if (what_.uid && step.owner == what_.uid) continue;
            head("others",
                 fmt::format("job {} of {}, {}{}", step.job_id, step.owner ? printable(user_name(*step.owner)) : "somebody",
                             words_of(step.owner_by), step.trouble.empty() ? "" : "; " + printable(step.trouble)));
        }
        for (const std::string& warning : what_.others->warnings) head("others", printable(warning));
    }

    const Explanation& what_;
    const Output& output_;
    std::vector<std::string> lines_;
};

}  // namespace

std::vector<OptionInForce> options_in_force(const std::vector<std::string>& arguments)
{
    std::vector<OptionInForce> options;
    for (const OptionSpec& spec : option_table()) {
        OptionInForce option{std::string(spec.name), std::string(spec.default_value), false};
        for (const std::string& argument : arguments) {
            const std::size_t equals = argument.find('=');
            if (std::string_view(argument).substr(0, equals) != spec.name) continue;
            option.value = equals == std::string::npos ? "1" : argument.substr(equals + 1);
            option.from_line = true;
            break;
        }
        options.push_back(std::move(option));
    }
    return options;
}

std::string outcome_of(const DryRun& run)
{
    std::string why(words_of(run.decision.reason));
    const auto waiting = std::find_if(run.steps.begin(), run.steps.end(), [](const Step& step) { return step.wait.has_value(); });
    const std::string unless =
        waiting == run.steps.end() ? "" : fmt::format(", unless an extern step comes within {} s", waiting->wait->at_most.count());
    switch (run.decision.verdict) {
    case Verdict::adopt: {
        const auto adopting =
            std::find_if(run.steps.rbegin(), run.steps.rend(), [](const Step& step) { return step.adoption.has_value(); });
        const std::uint32_t job = adopting == run.steps.rend() ? 0 : adopting->adoption->job_id;
        return fmt::format("would be let in, into job {}: {}.", job, why);
    }
    case Verdict::allow: return fmt::format("would be let in, but outside of any job, because an option says so: {}.", why);
    case Verdict::ignore:
        return fmt::format("would be let in by this module, which leaves it to the others of the stack{}: {}.", unless, why);
    case Verdict::deny: return fmt::format("would be refused{}: {}.", unless, why);
    }
    return why;
}

std::vector<std::string> text_of(const Explanation& explanation, const Output& output)
{
    return Text(explanation, output).all();
}

}  // namespace slurm_adopt::tool
