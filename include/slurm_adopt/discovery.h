// SPDX-License-Identifier: GPL-2.0-or-later
// Finding the extern steps of this machine without talking to anybody.
#pragma once

#include <linux/magic.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"
#include "slurm_adopt/step_socket.h"

namespace slurm_adopt {

// Where the kernel tells what; other roots for tests.
struct Roots {
    std::string proc = "/proc";
    std::string freezer = "/sys/fs/cgroup/freezer";  // the usual mount point of that cgroup v1 hierarchy
    long freezer_type = CGROUP_SUPER_MAGIC;          // statfs(2): f_type that makes it believable
    // SlurmdSpoolDir, as most have it: Slurm's default, that of Debian's packages, that of OpenHPC's.
    std::array<const char*, 3> spool_dirs = {"/var/spool/slurmd", "/var/lib/slurm/slurmd", "/var/spool/slurm/d"};
};

struct Candidate {
    StepSocketPath socket;
    std::int64_t socket_mtime_ns = 0;  // when slurmstepd made it, nanoseconds since the epoch

    [[nodiscard]] std::string path() const { return socket.directory + '/' + socket.file_name; }
};

struct Discovery {
    std::vector<Candidate> candidates;       // one per extern step
    std::vector<std::string> planted;        // named like a slurmstepd's, but known not to be root's: somebody's fake
    bool owners_known = false;               // the kernel told them, so that no file needs to be looked at for that
};

// Whether a socket of root's is worth to be listed.
using Wanted = std::function<bool(const StepSocketView&)>;

// The extern steps' sockets: those the kernel lists as listening (socket_table.h, or /proc/net/unix where netlink is
// not to be had), or those in `spool_dir` where that is not empty; only of `nodename` where that is not empty.
// No socket's file is looked at: of a hundred candidates, evidence often leaves one that is worth it. Where the kernel
// tells the owners only those that are `wanted` become candidates; elsewhere all do.
// An error means that the list could not be had at all, which is not the same as an empty one.
[[nodiscard]] Result<Discovery> discover(const Roots& roots, const std::string& spool_dir, const std::string& nodename,
                                         Deadline deadline, const Wanted& wanted = {});

// Looks at the files of the sockets in `found`, notes when they were made, and moves to `planted` those that are not
// root's. Sockets that are gone or out of sight are left out. To be done before anybody is connected to.
[[nodiscard]] Discovery look_at_files(Discovery found);

}  // namespace slurm_adopt
