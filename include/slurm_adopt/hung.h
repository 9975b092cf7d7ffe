// SPDX-License-Identifier: GPL-2.0-or-later
// Processes that do nothing until somebody wakes them, if ever.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"

namespace slurm_adopt {

// Stopped or dead, by /proc/<pid>/stat.
[[nodiscard]] bool is_hung(const Roots& roots, pid_t pid);

// Where stopped processes of root's listen: the paths of their unix sockets (this network namespace's), sorted. A socket
// of which the backlog is full tells nobody who listens there. What has not been looked at by the deadline is left out.
[[nodiscard]] std::vector<std::string> sockets_of_stopped(const Roots& roots, Deadline deadline);

}  // namespace slurm_adopt
