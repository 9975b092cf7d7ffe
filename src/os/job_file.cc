// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/job_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <type_traits>

#include "slurm_adopt/asked_child.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/interrupted.h"
#include "slurm_adopt/reading_lock.h"

namespace slurm_adopt {
namespace {

using State = JobFile::State;

static_assert(std::is_trivially_copyable_v<JobFile>);

JobFile failed(bool is_file) noexcept
{
    return {.state = errno == ENOENT ? State::absent : State::failed, .is_file = is_file, .errno_value = errno};
}

State state_of(const struct stat& status, uid_t owner) noexcept
{
    if (S_ISLNK(status.st_mode)) return State::link;
    if (!S_ISREG(status.st_mode)) return State::not_regular;
    if (status.st_uid != owner) return State::other_owner;
    return status.st_size > static_cast<off_t>(longest_job_file) ? State::too_long : State::read;
}

JobFile read_open(const Fd& fd) noexcept
{
    JobFile file{.state = State::read, .is_file = true};
    // One byte more than may be there: it may have grown since it was looked at.
    std::array<char, longest_job_file + 1> text{};
    while (file.size < text.size()) {
        const ssize_t got = uninterrupted([&] { return ::read(fd.get(), text.data() + file.size, text.size() - file.size); });
        if (got < 0) return failed(true);
        if (got == 0) break;
        file.size += static_cast<std::size_t>(got);
    }
    if (file.size > longest_job_file) return {.state = State::too_long, .is_file = true};
    std::copy_n(text.begin(), file.size, file.text.begin());
    return file;
}

}  // namespace

JobFile read_job_file(const char* config, uid_t owner) noexcept
{
    const Fd above(::open(config, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!above) return failed(false);
    // Without O_DIRECTORY, which would say of a link only that it is none.
    const Fd directory(::openat(above.get(), job_file_directory, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!directory || ::fstat(directory.get(), &status) != 0) return failed(false);
    if (!S_ISDIR(status.st_mode)) return {.state = S_ISLNK(status.st_mode) ? State::link : State::not_a_directory};

    // Looked at before it is opened: opening a device may do something. And again when it is open: it may be another by then.
    if (::fstatat(directory.get(), job_file_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return failed(true);
    if (const State state = state_of(status, owner); state != State::read) return {.state = state, .is_file = true};
    const Fd fd(::openat(directory.get(), job_file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd || ::fstat(fd.get(), &status) != 0) return failed(true);
    if (const State state = state_of(status, owner); state != State::read) return {.state = state, .is_file = true};
    return read_open(fd);
}

Result<JobFile> read_job_file_as(const User& user, Deadline deadline)
{
    if (!user.home.starts_with('/')) return Error{ErrorCode::malformed, 0, "the user database names no home directory"};
    const std::string config = user.home + std::string(job_file_config);
    const auto read = [&config, &user](int out, int) noexcept {
        const JobFile file = read_job_file(config.c_str(), user.uid);
        return write_answer(out, reinterpret_cast<const char*>(&file), sizeof file);
    };
    // Without the supplementary groups: a home is the user's own, and asking for them is one more thing that may take its time.
    const ProcessIdentity identity{.uid = user.uid, .gid = user.gid, .groups = {}};
    const Fd locks = open_reading_locks(home_readings);
    if (has_hanging_reading(locks, user.uid))
        return Error{ErrorCode::timed_out, 0,
                     "an earlier login still hangs in reading it: does the home directory's file system answer?"};
    auto answer = ask_child(read, -1, locks.get(), &identity, sizeof(JobFile), deadline);
    if (!answer && answer.error().code == ErrorCode::timed_out) {
        mark_hanging_reading(locks, user.uid);
        return Error{ErrorCode::timed_out, 0, "it could not be read in time"};
    }
    if (!answer) return std::move(answer).error().in("reading it in a child");
    JobFile file;
    if (answer.value().bytes.size() != sizeof file) return Error{ErrorCode::protocol, 0, "reading it came to nothing"};
    std::memcpy(&file, answer.value().bytes.data(), sizeof file);
    return file;
}

}  // namespace slurm_adopt
