// SPDX-License-Identifier: GPL-2.0-or-later
#include "write_all.h"

#include <unistd.h>

#include "slurm_adopt/interrupted.h"

namespace slurm_adopt::tool {

Result<Done> write_all(int fd, std::string_view text, const std::string& name)
{
    while (!text.empty()) {
        const ssize_t written = uninterrupted([&] { return ::write(fd, text.data(), text.size()); });
        if (written < 0) return system_error(name);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return Done{};
}

}  // namespace slurm_adopt::tool
