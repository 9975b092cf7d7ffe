// SPDX-License-Identifier: GPL-2.0-or-later
// Removing directories that a user owns, while the user may be working against it.
//
// First the directory is taken away: its mounts are detached and it is renamed into a directory of root's alone, the
// trash, which takes the same time however much is in it. Then the trash is emptied, for as long as there is time;
// anybody may go on where another has stopped, and several at once.
#pragma once

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// Takes away what is called `name` in the directory `parent`, whatever it is: a symbolic link is not followed, mounts on
// it are detached (with all below; umount2(2), MNT_DETACH), files open in it or processes working there do not matter.
// `parent` and `trash` are descriptors of directories of root's on one file system. That nothing is there is success.
[[nodiscard]] Result<Done> take_away(int parent, const char* name, int trash, Deadline deadline);

// Removes what is in the trash, until the deadline; what cannot be removed is left. Needs no lock.
void empty_trash(int trash, Deadline deadline);

}  // namespace slurm_adopt
