// SPDX-License-Identifier: GPL-2.0-or-later
// sshd's monitors: of each connection the process that stays root while the session runs (OpenSSH 9.2: "sshd: alice [priv]";
// from 9.8 on the program is sshd-session). Of the processes of a connection it is the one that a user can neither make
// nor change: forwarded connections are opened by the user's own process, and it has nothing but the client's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "slurm_adopt/cgroup_path.h"
#include "slurm_adopt/connection.h"
#include "slurm_adopt/discovery.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// Whether a process, by its directory in /proc, runs sshd. Asked of processes of root's only.
using IsSshd = std::function<bool(const std::string& process)>;

// The program that this process runs.
[[nodiscard]] bool runs_same_program(const std::string& proc, const std::string& process);

// When the process began, in clock ticks since boot, where it is the monitor of another connection than `own` from the same
// client address to the same local port: inside `step`, all its uids 0, and with that connection established. None where
// it is not, or has ended meanwhile. An error where that cannot be told: pidfd_getfd(2) needs Linux 5.6 or later, and is
// forbidden by kernel.yama.ptrace_scope=3.
[[nodiscard]] Result<std::optional<std::uint64_t>> monitor_start(const Roots& roots, pid_t pid,
                                                                 const std::vector<CgroupEntry>& step, const Connection& own,
                                                                 const IsSshd& is_sshd);

}  // namespace slurm_adopt
