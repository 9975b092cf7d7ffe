// SPDX-License-Identifier: GPL-2.0-or-later
// A forked child of a test: killed and reaped with its object.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "slurm_adopt/fd.h"

namespace slurm_adopt::test {

class Forked {
public:
    // Runs `body` in the child, whose exit status is 0 if it returns true. The child is gone after two minutes at most.
    template <class Body>
    explicit Forked(Body body) : pid_(::fork())
    {
        if (pid_ != 0) return;
        (void)::alarm(120);
        ::_exit(body() ? 0 : 1);
    }
    Forked(Forked&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    Forked(const Forked&) = delete;
    Forked& operator=(const Forked&) = delete;
    ~Forked() { kill(); }

    [[nodiscard]] pid_t pid() const { return pid_; }
    // Waits for its end; true if the body returned true.
    [[nodiscard]] bool succeeds()
    {
        int status = -1;
        return ::waitpid(std::exchange(pid_, -1), &status, 0) > 0 && status == 0;
    }
    // As a killed job's process: it cannot do anything about it.
    void kill()
    {
        if (pid_ <= 0) return;
        (void)::kill(pid_, SIGKILL);
        (void)::waitpid(std::exchange(pid_, -1), nullptr, 0);
    }
    // Dead, but not reaped.
    void make_zombie() const
    {
        siginfo_t info{};
        (void)::kill(pid_, SIGKILL);
        (void)::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    }

private:
    pid_t pid_;
};

// Told by a child, waited for by its parent: the child has come so far.
class Ready {
public:
    Ready()
    {
        std::array<int, 2> ends{-1, -1};
        (void)(::pipe2(ends.data(), O_CLOEXEC) == 0);
        read_ = Fd(ends[0]);
        write_ = Fd(ends[1]);
    }
    [[nodiscard]] bool tell() const { return ::write(write_.get(), "r", 1) == 1; }
    // For a child that closes what is not its own.
    [[nodiscard]] bool is(int fd) const { return fd == write_.get(); }
    // False if the child has ended instead. Once.
    [[nodiscard]] bool wait()
    {
        write_.reset();
        char byte = 0;
        const bool told = ::read(read_.get(), &byte, 1) == 1;
        read_.reset();
        return told;
    }

private:
    Fd read_;
    Fd write_;
};

}  // namespace slurm_adopt::test
