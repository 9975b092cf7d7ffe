// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/messages.h"

#include <cstdio>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

// How a user gets into a job of his own choice.
std::string way_to_a_job(const LoginRecord& record)
{
    return record.may_name_job ? "slurm-adopt use <JOBID>" : "srun --overlap --pty --jobid=<JOBID> bash";
}

std::string refusal(const LoginRecord& record)
{
    const std::string node = printable(record.node);
    const std::string code(reason_code(record.decision.reason));
    switch (failure_class(record.decision.reason)) {
    case FailureClass::no_jobs:
        if (record.decision.reason == Reason::job_starting)
            return "Access denied: your job " + std::to_string(record.job_id) + " is still starting on " + node +
                   ". Try again in a moment.";
        if (record.decision.reason == Reason::no_extern_step)
            return "Access denied: your job " + std::to_string(record.job_id) + " runs on " + node + ", but has no extern step there (" +
                   code + "). Please tell your administrator this line.";
        return "Access denied: you have no job running on " + node + ". Start one there (sbatch, salloc) and log in while it runs.";
    case FailureClass::unknown_job:
        return "Access denied: you have " + std::to_string(record.jobs) + " jobs on " + node +
               " and it is not known which one this login belongs to. Use: " + way_to_a_job(record);
    case FailureClass::adopt_failure:
        return "Access denied: this login could not be placed into your job on " + node + " (" + code +
               "). Try again; if it stays, tell your administrator this line.";
    case FailureClass::generic_failure:
        return "Access denied: job access control on " + node + " does not work (" + code +
               "). Please tell your administrator this line.";
    case FailureClass::bad_config:
        return "Access denied: job access control on " + node + " is misconfigured (" + code +
               "). Please tell your administrator this line.";
    case FailureClass::unknown_user:
    case FailureClass::none:
        return {};  // a stranger learns nothing
    }
    return {};
}

std::string job_name(const LoginRecord& record)
{
    return record.job_id != 0 ? std::to_string(record.job_id) : "-";
}

std::string expanded(std::string_view line, const LoginRecord& record)
{
    std::string text;
    while (!line.empty() && text.size() < longest_site_text) {
        const char next = line.front() == '%' && line.size() > 1 ? line[1] : '\0';
        std::size_t taken = 2;
        switch (next) {
        case 'u': text += record.user; break;
        case 'h': text += record.node; break;
        case 'j': text += job_name(record); break;
        case '%': text += '%'; break;
        default:
            text += line.front() == '\t' ? ' ' : line.front();
            taken = 1;
        }
        line.remove_prefix(taken);
    }
    return printable(text, longest_site_text);
}

}  // namespace

std::string_view verdict_word(Verdict verdict)
{
    switch (verdict) {
    case Verdict::deny: return "deny";
    case Verdict::ignore: return "ignore";
    case Verdict::allow: return "allow";
    case Verdict::adopt: return "adopt";
    }
    return "deny";
}

std::string decision_line(const LoginRecord& record)
{
    std::string line;
    const auto add = [&line](std::string_view key, std::string_view value) {
        if (!line.empty()) line += ' ';
        line += key;
        line += '=';
        line += value;
    };
    char milliseconds[32];
    const long long hundredths = record.took.count() / 10;
    (void)std::snprintf(milliseconds, sizeof milliseconds, "%lld.%02lld", hundredths / 100, hundredths % 100);

    const bool adopted = record.decision.verdict == Verdict::adopt;
    add("decision", verdict_word(record.decision.verdict));
    add("reason", reason_code(record.decision.reason));
    add("user", log_value(record.user));
    add("uid", record.uid ? std::to_string(*record.uid) : "-");
    add("service", log_value(record.service));
    add("rhost", log_value(record.rhost));
    add("jobs", std::to_string(record.jobs));
    add("job", job_name(record));
    add("phase", log_value(record.phase));
    add("ms", milliseconds);
    add("verified", !adopted ? "-" : record.verified ? "yes" : "no");
    add("on_failure", record.fails_open ? "open" : "closed");
    return line;
}

std::string user_message(const LoginRecord& record)
{
    switch (record.decision.verdict) {
    case Verdict::deny:
        return refusal(record);
    case Verdict::adopt:
        if (record.jobs < 2) return {};
        return "You have " + std::to_string(record.jobs) + " jobs on " + printable(record.node) +
               "; this login was placed into job " + std::to_string(record.job_id) + "." +
               (record.decision.reason == Reason::newest_job || record.decision.reason == Reason::sticky
                    ? " For another one: " + way_to_a_job(record)
                    : "");
    case Verdict::ignore:
    case Verdict::allow:
        return {};
    }
    return {};
}

std::vector<std::string> site_message(std::string_view text, const LoginRecord& record)
{
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    std::vector<std::string> lines;
    if (text.empty()) return lines;
    for (std::string_view line : split(text, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(expanded(line, record));
    }
    return lines;
}

}  // namespace slurm_adopt
