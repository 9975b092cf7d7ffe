// SPDX-License-Identifier: GPL-2.0-or-later
// The file in which a user with several jobs names the one that logins go to (job_choice=file). The home directory is that
// of the user database: what XDG_CONFIG_HOME is in the user's shell, sshd does not know.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"
#include "slurm_adopt/users.h"

namespace slurm_adopt {

// HOME/.config/slurm-adopt/job: the first part may be a symbolic link, as home directories and their contents are; the others
// may not.
inline constexpr std::string_view job_file_config = "/.config";
inline constexpr const char* job_file_directory = "slurm-adopt";
inline constexpr const char* job_file_name = "job";
inline constexpr std::string_view job_file_shown = ".config/slurm-adopt/job";  // after "~/", or "~alice/"

inline constexpr std::size_t longest_job_file = 64;  // in bytes

// A job id in decimal, and nothing else. The error says how a job is named instead.
[[nodiscard]] Result<std::uint32_t> parse_job_id(std::string_view text);

// One line with a job id; blanks around it and line ends after it do not count.
[[nodiscard]] Result<std::uint32_t> parse_job_file(std::string_view text);

// What was found in its place. Without memory of its own, so that it can be made and handed on in a forked child.
struct JobFile {
    enum class State : std::uint8_t { absent, read, link, not_a_directory, not_regular, other_owner, too_long, failed };
    State state = State::absent;
    bool is_file = false;  // the file itself, else a directory on the way
    int errno_value = 0;   // of State::failed
    std::size_t size = 0;
    std::array<char, longest_job_file> text{};
};

// Reads it as this process is, below HOME/.config; a file that is not `owner`'s does not count. Calls nothing but the kernel.
[[nodiscard]] JobFile read_job_file(const char* config, uid_t owner) noexcept;

// The same in a process of its own that is the user's, with the primary group and no other, so that neither a home directory
// that does not answer nor one that only the user may look into is in the way. Not where another such reading for the user has
// not ended by then (reading_lock.h): ErrorCode::timed_out. For root only.
[[nodiscard]] Result<JobFile> read_job_file_as(const User& user, Deadline deadline);

// The job that it names; none: there is no file. The error says what is wrong with it.
[[nodiscard]] Result<std::optional<std::uint32_t>> job_in(const JobFile& file);

}  // namespace slurm_adopt
