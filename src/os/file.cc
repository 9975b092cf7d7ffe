// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include "slurm_adopt/interrupted.h"

namespace slurm_adopt {

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
    // O_NONBLOCK: should the path be a fifo or a device after all, neither open nor read may wait.
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) return system_error(path);
    return read_open_file(fd, path, most);
}

Result<std::string> read_mountinfo(const std::string& proc)
{
    // Thousands of mounts (one container each) are a few hundred KiB.
    constexpr std::size_t longest = std::size_t{16} * 1024 * 1024;
    return read_file(proc + "/self/mountinfo", longest);
}

}  // namespace slurm_adopt
