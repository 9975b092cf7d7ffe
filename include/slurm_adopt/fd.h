// SPDX-License-Identifier: GPL-2.0-or-later
// An owned file descriptor: closed exactly once, moved, never copied.
#pragma once

#include <unistd.h>

#include <utility>

namespace slurm_adopt {

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}  // takes ownership; a negative number owns nothing
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept
    {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
    // Gives up ownership.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset()
    {
        if (fd_ >= 0) (void)::close(std::exchange(fd_, -1));
    }

private:
    int fd_ = -1;
};

}  // namespace slurm_adopt
