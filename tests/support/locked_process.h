// SPDX-License-Identifier: GPL-2.0-or-later
// A process that holds the lock of its own memory for as long as the object is there, as any user's may who has a file system
// of his own (fuse(4)): it becomes another program, and one of its files takes its time to be closed by that.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "support/forked.h"
#include "support/silent_fuse.h"
#include "support/temp_directory.h"

namespace slurm_adopt::test {

class LockedProcess {
public:
    // Puts this process into a mount namespace of its own. `prepare` is done by the other one first: true if that worked.
    template <class Prepare>
    explicit LockedProcess(Prepare prepare)
        : fuse_(file(), SilentFuse::Kind::open), process_([&] {
              if (::open(place_.c_str(), O_RDONLY | O_CLOEXEC) < 0 || !prepare()) return false;
              (void)::execl("/bin/sleep", "sleep", "1000", nullptr);
              return false;
          })
    {
        is_locked_ = fuse_.is_closed_by_somebody();
    }
    ~LockedProcess() { fuse_.end(); }
    LockedProcess(const LockedProcess&) = delete;
    LockedProcess& operator=(const LockedProcess&) = delete;

    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    // From its stat it cannot be seen: to read that is to wait with it (Linux 6.18).
    [[nodiscard]] bool is_locked() const { return is_locked_; }

private:
    std::string file()
    {
        (void)(::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
        std::ofstream(place_) << "";
        return place_;
    }

    const TempDirectory directory_;
    const std::string place_ = directory_ / "file";
    SilentFuse fuse_;
    Forked process_;
    bool is_locked_ = false;
};

}  // namespace slurm_adopt::test
