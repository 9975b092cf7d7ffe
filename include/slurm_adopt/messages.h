// SPDX-License-Identifier: GPL-2.0-or-later
// What the log and the user are told. Pure text; everything that comes from outside is made safe here.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm_adopt/policy.h"

namespace slurm_adopt {

struct LoginRecord {
    Decision decision;
    std::string user;
    std::optional<uid_t> uid;
    std::string service;
    std::string rhost;
    std::string node;       // the name people know this machine by
    std::size_t jobs = 0;   // the user's jobs here
    std::uint32_t job_id = 0;  // the job taken, the last one tried, or the one that the controller named; 0: none
    std::string phase;      // "account" or "session"
    std::chrono::microseconds took{0};
    bool verified = false;  // of an adoption: the kernel confirms it
    bool fails_open = false;  // under these options a failure would let the user in unconfined
    bool may_name_job = false;  // job_choice=file
};

// The word of `decision=`.
[[nodiscard]] std::string_view verdict_word(Verdict verdict);

// The one line per decision:
// decision= reason= user= uid= service= rhost= jobs= job= phase= ms= verified= on_failure=
// `ms` has two decimals, `-` stands for nothing, on_failure is open or closed (see fails_open).
[[nodiscard]] std::string decision_line(const LoginRecord& record);

// One short line for the user: the reason, and what to do next. Empty: nothing needs to be said.
[[nodiscard]] std::string user_message(const LoginRecord& record);

// Of a text of the site's, in bytes; and of each line that is made of it.
inline constexpr std::size_t longest_site_text = 4096;

// The lines of a text of the site's for who was refused (deny_message_file=): %u is the user, %h the node, %j the job ("-" for
// none), %% a '%'; any other '%' stays as it is.
[[nodiscard]] std::vector<std::string> site_message(std::string_view text, const LoginRecord& record);

}  // namespace slurm_adopt
