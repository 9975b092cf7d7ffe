// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm_adopt/reading_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "slurm_adopt/directory.h"

namespace slurm_adopt {
namespace {

struct flock mark_of(uid_t uid)
{
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(uid);
    range.l_len = 1;
    return range;
}

}  // namespace

Fd open_reading_locks(const char* kind, const std::string& base)
{
    const auto directory = make_own_directory(AT_FDCWD, base.c_str(), 0755);
    if (!directory) return Fd();
    // To be locked against others it has to be open for writing; nobody writes to it.
    Fd locks(::openat(directory.value().get(), kind, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
    struct stat status {};
    // Who could open it could lock it.
    const bool is_roots = locks && ::fstat(locks.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 &&
                          (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    return is_roots ? std::move(locks) : Fd();
}

bool has_hanging_reading(const Fd& locks, uid_t uid)
{
    struct flock range = mark_of(uid);
    return locks && ::fcntl(locks.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

void mark_hanging_reading(const Fd& locks, uid_t uid)
{
    struct flock range = mark_of(uid);
    // Where another login was quicker, that one's mark is as good.
    if (locks) (void)::fcntl(locks.get(), F_OFD_SETLK, &range);
}

}  // namespace slurm_adopt
