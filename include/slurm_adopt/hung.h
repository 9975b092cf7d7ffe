// SPDX-License-Identifier: GPL-2.0-or-later
// Processes that do nothing until somebody wakes them, if ever.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/discovery.h"

namespace slurm_adopt {

// Stopped or dead, by /proc/<pid>/status. Not by its stat: that, as exe, environ, maps and other files that only some may read,
// waits for a lock that a process holds while it becomes another program (execve(2)). A file on a file system of the user's
// that is closed by that takes as long as the user likes, and nothing but SIGKILL ends the waiting (seen with Linux 6.18; before
// it, environ alone). Who follows a link in fd/ or ns/ waits as well. So nothing here looks at those of a process that may be a
// user's; status, cgroup and the list of fd/ do not wait.
[[nodiscard]] bool is_hung(const Roots& roots, pid_t pid);

// Where stopped processes of root's listen: the paths of their unix sockets (this network namespace's), sorted. A socket
// of which the backlog is full tells nobody who listens there. What has not been looked at by the deadline is left out.
[[nodiscard]] std::vector<std::string> sockets_of_stopped(const Roots& roots, Deadline deadline);

}  // namespace slurm_adopt
