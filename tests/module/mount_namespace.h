// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {

// A mount namespace of its own, kept alive by its descriptor.
// `prepare` is done in it first.
inline Fd mount_namespace(std::string& name, bool (*prepare)() = [] { return true; })
{
    int ready[2];
    if (::pipe(ready) != 0) return Fd();
    const pid_t child = ::fork();
    if (child == 0) {
        (void)(::unshare(CLONE_NEWNS) == 0 && prepare() && ::write(ready[1], "r", 1) == 1);
        while (true) ::pause();
    }
    char byte = 0;
    (void)!::read(ready[0], &byte, 1);
    (void)::close(ready[0]);
    (void)::close(ready[1]);
    Fd fd(::open(("/proc/" + std::to_string(child) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    (void)::fstat(fd.get(), &status);
    name = "mnt:[" + std::to_string(status.st_ino) + ']';
    (void)::kill(child, SIGKILL);
    (void)::waitpid(child, nullptr, 0);
    return fd;
}

}  // namespace slurm_adopt::test
