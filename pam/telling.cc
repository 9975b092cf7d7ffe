// SPDX-License-Identifier: GPL-2.0-or-later
// What the user is told.
#include "login_phase.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt {

void LoginPhase::tell()
{
    if (record_.decision.reason == Reason::account_job) return;  // which the account phase has named
    // Who passes without a job is in none, named or not.
    const bool passes = record_.decision.verdict == Verdict::ignore || record_.decision.verdict == Verdict::allow;
    if (!choice_note_.empty() && !passes) host_.tell(choice_note_);
    const std::string message = user_message(record_);
    if (message.empty()) return;
    if (record_.decision.verdict != Verdict::deny) return host_.tell(message);
    host_.tell_refusal(message);
    // What wrong options leave is not what was meant.
    if (options_valid_ && !options_.deny_message_file.empty()) tell_site_message();
}

void LoginPhase::tell_site_message()
{
    const auto text = node_.read_site_file(options_.deny_message_file, longest_site_text);
    if (!text) return log(LogLevel::error, Priority::error, "deny_message_file: " + printable(text.error().context));
    for (const std::string& line : site_message(text.value(), record_)) host_.tell_refusal(line);
}

}  // namespace slurm_adopt
