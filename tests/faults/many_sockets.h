// SPDX-License-Identifier: GPL-2.0-or-later
// Thousands of listening sockets in one process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "support/forked.h"

namespace slurm_adopt::test {

class ManySockets {
public:
    // Made, and listened on, with the uid `listener`, who may write there. With `owner` each is served as by a slurmstepd of
    // a job of that user's; else nobody accepts. All listen when the constructor returns.
    ManySockets(const std::vector<std::string>& paths, uid_t listener, std::optional<uid_t> owner = std::nullopt);

private:
    Ready ready_;
    Forked server_;
};

// Like extern steps of a node, jobs `first` to `first` + `count` - 1.
[[nodiscard]] std::vector<std::string> step_socket_paths(const std::string& directory, const std::string& node,
                                                         unsigned first, unsigned count);

}  // namespace slurm_adopt::test
