// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "slurm_adopt/interrupted.h"

namespace slurm_adopt {
namespace {

// O_NONBLOCK: should the path be a fifo or a device after all, neither open nor read may wait.
constexpr int reading = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

Error untrusted(const std::string& path, const char* why)
{
    return Error{ErrorCode::untrusted, 0, path + ": " + why};
}

}  // namespace

Result<std::string> read_open_file(const Fd& fd, const std::string& name, std::size_t most)
{
    std::string text;
    std::size_t length = 0;
    for (;;) {
        if (length == text.size()) text.resize(std::min(std::max<std::size_t>(4096, 2 * text.size()), most + 1));
        const ssize_t got = uninterrupted(
            [&] { return ::pread(fd.get(), text.data() + length, text.size() - length, static_cast<off_t>(length)); });
        if (got < 0) return system_error(name);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
        if (length > most) return Error{ErrorCode::too_large, 0, name + ": larger than expected"};
    }
    text.resize(length);
    return text;
}

Result<std::string> read_file(const std::string& path, std::size_t most)
{
    const Fd fd(::open(path.c_str(), reading));
    if (!fd) return system_error(path);
    return read_open_file(fd, path, most);
}

Result<std::string> read_own_file(const std::string& path, Links links, mode_t forbidden, const char* advice, std::size_t most)
{
    // Two calls: with flags that are not constant the C library's checks make it another function.
    const Fd fd(links == Links::refused ? ::open(path.c_str(), reading | O_NOFOLLOW) : ::open(path.c_str(), reading));
    if (!fd && errno == ELOOP) return untrusted(path, "is a symbolic link: name the file itself");
    if (!fd) return system_error(path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error(path);
    if (!S_ISREG(status.st_mode)) return untrusted(path, "is no regular file");
    if (status.st_uid != 0) return untrusted(path, "does not belong to root");
    if ((status.st_mode & forbidden) != 0) return untrusted(path, advice);
    return read_open_file(fd, path, most);
}

Result<std::string> read_site_file(const std::string& path, std::size_t most)
{
    return read_own_file(path, Links::refused, S_IWGRP | S_IWOTH, "others than root may write to it", most);
}

Result<std::string> read_mountinfo(const std::string& proc)
{
    // Thousands of mounts (one container each) are a few hundred KiB.
    constexpr std::size_t longest = std::size_t{16} * 1024 * 1024;
    return read_file(proc + "/self/mountinfo", longest);
}

}  // namespace slurm_adopt
