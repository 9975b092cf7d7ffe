// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/job_file.h"

#include <algorithm>
#include <string>

#include "slurm_adopt/text.h"

namespace slurm_adopt {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view without_blanks(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    while (!text.empty() && blanks.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
    return text;
}

Error wrong(std::string text)
{
    return Error{ErrorCode::malformed, 0, std::move(text)};
}

}  // namespace

Result<std::uint32_t> parse_job_id(std::string_view text)
{
    if (const auto number = parse_number<std::uint32_t>(text); number && *number != 0) return *number;
    const std::string named = '\'' + printable(text, longest_job_file) + "' is no job id";
    // "123_4" and "123+1" are one job's name of several: squeue knows the number of each.
    const std::size_t end = text.find_first_not_of("0123456789");
    if (end != 0 && end != std::string_view::npos && (text[end] == '_' || text[end] == '+'))
        return wrong(named + ": a task of an array and a component have a number of their own, that squeue --me -O JobArrayID,JobID shows in "
                             "its second column");
    return wrong(named + ": a job id is a number");
}

Result<std::uint32_t> parse_job_file(std::string_view text)
{
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    if (text.find('\n') != std::string_view::npos) return wrong("it has more than one line");
    text = without_blanks(text);
    if (text.empty()) return wrong("it is empty");
    return parse_job_id(text);
}

Result<std::optional<std::uint32_t>> job_in(const JobFile& file)
{
    switch (file.state) {
    case JobFile::State::absent:
        return std::optional<std::uint32_t>();
    case JobFile::State::read: {
        auto job = parse_job_file({file.text.data(), std::min(file.size, file.text.size())});
        if (!job) return std::move(job).error();
        return std::optional(job.value());
    }
    case JobFile::State::link:
        return Error{ErrorCode::untrusted, 0, file.is_file ? "it is a symbolic link" : "its directory is a symbolic link"};
    case JobFile::State::not_a_directory:
        return Error{ErrorCode::untrusted, 0, "what should be its directory is none"};
    case JobFile::State::not_regular:
        return Error{ErrorCode::untrusted, 0, "it is no regular file"};
    case JobFile::State::other_owner:
        return Error{ErrorCode::untrusted, 0, "it belongs to somebody else"};
    case JobFile::State::too_long:
        return Error{ErrorCode::too_large, 0, "it is longer than " + std::to_string(longest_job_file) + " bytes"};
    case JobFile::State::failed:
        return system_error(file.is_file ? "it cannot be read" : "its directory cannot be reached", file.errno_value);
    }
    return Error{ErrorCode::protocol, 0, "reading it came to nothing that is known"};
}

}  // namespace slurm_adopt
