// SPDX-License-Identifier: GPL-2.0-or-later
// Of what may hang in the kernel for ever (asked_child.h): a child that was not to be killed leaves a mark for its user, and as long
// as it lives no login begins another such reading. What is only slow goes on side by side.
//
//   <base>                  root's, 0755: that of runtime_dir.h too
//   <base>/reading-home     root's, 0600, empty. A mark is a lock on byte <uid> of it (fcntl(2), F_OFD_SETLK), which belongs to
//   <base>/reading-environ  the open file that parent and child share: it ends with the last of them, and nothing has to be removed.
//
// Where there can be no mark (a /run that is read-only, no memory, something that is not root's in its place) each login reads.
#pragma once

#include <sys/types.h>

#include <string>

#include "slurm_adopt/fd.h"

namespace slurm_adopt {

inline constexpr const char* home_readings = "reading-home";        // job_file.h
inline constexpr const char* environ_readings = "reading-environ";  // job_process.h

// The file with the marks of one kind, which the child has to hold (ChildTask::held). Empty: it cannot be had.
[[nodiscard]] Fd open_reading_locks(const char* kind, const std::string& base = "/run/slurm-adopt");

// True if a reading of an earlier login hangs still. Waits for nothing.
[[nodiscard]] bool has_hanging_reading(const Fd& locks, uid_t uid);

// After a reading that has not come to an end. Who closes `locks` leaves the mark to the child.
void mark_hanging_reading(const Fd& locks, uid_t uid);

}  // namespace slurm_adopt
