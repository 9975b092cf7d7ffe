// SPDX-License-Identifier: GPL-2.0-or-later
// An empty /run of a test's own, in a mount namespace of this process's own, and gone with its object.
#pragma once

#include <sched.h>
#include <sys/mount.h>

namespace slurm_adopt::test {

class PrivateRun {
public:
    PrivateRun()
        : works_(::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 ::mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") == 0)
    {
    }
    PrivateRun(const PrivateRun&) = delete;
    PrivateRun& operator=(const PrivateRun&) = delete;
    ~PrivateRun()
    {
        if (works_) (void)::umount2("/run", MNT_DETACH);
    }

    [[nodiscard]] bool works() const { return works_; }

private:
    bool works_;
};

}  // namespace slurm_adopt::test
