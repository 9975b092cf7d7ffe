// SPDX-License-Identifier: GPL-2.0-or-later
// A file system that does not answer: a home on a server that is gone, or one of a user's own (fuse(4)).
#pragma once

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "slurm_adopt/fd.h"
#include "support/forked.h"

namespace slurm_adopt::test {

class SilentFuse {
public:
    enum class Kind {
        deaf,    // nobody reads what it is asked: who waits can be killed
        silent,  // somebody has read it: who waits cannot even be killed
        open,    // a file, not a directory: it can be opened, and whoever closes it waits and cannot be killed
    };

    // In the caller's mount namespace.
    SilentFuse(const std::string& place, Kind kind) : place_(place), fd_(::open("/dev/fuse", O_RDWR | O_CLOEXEC))
    {
        if (!fd_) return;
        const std::string mode = kind == Kind::open ? "100444" : "40755";
        const std::string options = "fd=" + std::to_string(fd_.get()) + ",rootmode=" + mode + ",user_id=0,group_id=0,allow_other";
        works_ = ::mount("silent", place.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
        if (works_ && kind != Kind::deaf) reader_ = new Forked([this, kind] { return read_and_say_nothing(kind == Kind::open); });
    }
    SilentFuse(const SilentFuse&) = delete;
    SilentFuse& operator=(const SilentFuse&) = delete;
    ~SilentFuse() { end(); }

    [[nodiscard]] bool works() const { return works_; }
    // Kind::open: waits until somebody closes the file, and so waits. Once; false if that is not to come.
    [[nodiscard]] bool is_closed_by_somebody() { return works_ && closing_.wait(); }

    // It is taken away, and whoever waits for it is told so.
    void end()
    {
        if (works_) (void)::umount2(place_.c_str(), MNT_FORCE | MNT_DETACH);
        works_ = false;
        delete std::exchange(reader_, nullptr);
        fd_.reset();
    }

private:
    template <class Body>
    bool answer(const fuse_in_header& in, const Body& body) const
    {
        struct {
            fuse_out_header header;
            Body body;
        } out{{.len = sizeof out, .error = 0, .unique = in.unique}, body};
        return ::write(fd_.get(), &out, sizeof out) == sizeof out;
    }

    // But to the kernel's first question.
    bool read_and_say_nothing(bool opens) const
    {
        alignas(fuse_in_header) char request[FUSE_MIN_READ_BUFFER * 4];
        for (;;) {
            if (::read(fd_.get(), request, sizeof request) < static_cast<ssize_t>(sizeof(fuse_in_header))) return true;
            fuse_in_header in{};
            std::memcpy(&in, request, sizeof in);
            fuse_init_out init{};
            init.major = FUSE_KERNEL_VERSION;
            init.minor = FUSE_KERNEL_MINOR_VERSION;
            init.max_write = 4096;
            if (in.opcode == FUSE_INIT && !answer(in, init)) return false;
            if (in.opcode == FUSE_FLUSH && !closing_.tell()) return false;
            if (in.opcode == FUSE_OPEN && opens && !answer(in, fuse_open_out{})) return false;
        }
    }

    std::string place_;
    Fd fd_;
    bool works_ = false;
    Ready closing_;
    Forked* reader_ = nullptr;
};

}  // namespace slurm_adopt::test
