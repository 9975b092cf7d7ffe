// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/trash.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "slurm_adopt/directory.h"

namespace slurm_adopt {
namespace {

// Detaches the topmost mount. Asks nothing of the file system that is mounted there: it may be a user's (fuse(4)) that
// never answers.
bool detach(int parent, const char* name)
{
    const std::string path = "/proc/self/fd/" + std::to_string(parent) + '/' + name;
    return ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
}

Result<Done> move_to_trash(int parent, const char* name, int trash)
{
    // Two that choose the same name in the same nanosecond: one replaces an empty directory of the other's, or tries again.
    constexpr int attempts = 100;
    for (int i = 0; i < attempts; ++i) {
        const std::string unique = std::to_string(Deadline::Clock::now().time_since_epoch().count());
        if (::renameat(parent, name, trash, unique.c_str()) == 0 || errno == ENOENT) return Done{};
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR && errno != EISDIR) break;
    }
    return system_error("remove " + std::string(name));
}

// True if something has been achieved.
bool remove_item(int trash, const char* item, Deadline deadline)
{
    if (::unlinkat(trash, item, 0) == 0 || ::unlinkat(trash, item, AT_REMOVEDIR) == 0) return true;
    // Mounted by a process that was still working inside.
    if (errno == EBUSY) return detach(trash, item);
    Listing children(trash, item);
    if (!children) return false;
    // A process that works inside can make nothing new here from now on: that makes an end.
    (void)(::fchown(children.descriptor(), 0, 0) == 0 && ::fchmod(children.descriptor(), 0700) == 0);
    bool progress = false;
    while (const char* child = children.next()) {
        if (deadline.passed()) return progress;
        // A directory moves up into the trash instead of being descended into: no depth costs more than a descriptor, and
        // whatever is opened here is an entry of a directory of root's.
        if (::unlinkat(children.descriptor(), child, 0) == 0 || take_away(children.descriptor(), child, trash, deadline))
            progress = true;
    }
    return ::unlinkat(trash, item, AT_REMOVEDIR) == 0 || progress;
}

}  // namespace

Result<Done> take_away(int parent, const char* name, int trash, Deadline deadline)
{
    // As many as are stacked there: the user's own on top of ours.
    while (detach(parent, name) && !deadline.passed()) {
    }
    // As a rule it is empty: a mount was all there was. A mount that another mount namespace sees here goes with it.
    if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return Done{};
    return move_to_trash(parent, name, trash);
}

void empty_trash(int trash, Deadline deadline)
{
    Listing items(trash, ".");
    if (!items) return;
    for (bool progress = true; progress; items.rewind()) {
        progress = false;
        while (const char* item = items.next()) {
            if (deadline.passed()) return;
            if (remove_item(trash, item, deadline)) progress = true;
        }
    }
}

}  // namespace slurm_adopt
