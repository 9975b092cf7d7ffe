// SPDX-License-Identifier: GPL-2.0-or-later
// A child process that cannot hurt its parent: started with nothing, waited for with a deadline, killed and reaped.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "slurm_adopt/deadline.h"
#include "slurm_adopt/fd.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// Whom a child becomes before it does anything: all its ids are these, it has no capability, and nobody but root may trace it.
struct ProcessIdentity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary
};

// What a child does that is no other program.
struct ChildTask {
    // In the child, a fork of this process: returns its exit status, an errno or 0. Only async-signal-safe calls, no memory from
    // the heap, no return but this one; every signal is blocked. `out` is its end of the socketpair; `given` as below, -1 for
    // none; no other descriptor but `held` is open, 0 to 2 are no terminal.
    int (*run)(const void* context, int out, int given) noexcept = nullptr;
    const void* context = nullptr;
    int given = -1;                       // a descriptor of ours that it gets a duplicate of
    int held = -1;                        // another one, that it only keeps open as long as it lives
    const ProcessIdentity* as = nullptr;  // none: stays who we are
};

struct ChildEnd {
    enum class How { exited, signalled, killed, hangs, unknown };
    How how = How::unknown;
    int value = 0;  // exit status, signal

    static constexpr int set_up_failed = 127;  // exit status: what was to run did not

    [[nodiscard]] std::string text() const;  // for the log: "exited with 1", "killed by signal 9"
};

// One running child. The host program (sshd, su, login) never learns of it: while it lives SIGCHLD is held back in this
// thread, and at its end its own is taken out and any other is handed on; the host's disposition is not touched. The
// destructor kills and reaps it; a child that cannot die (state D) is left behind after a moment. The child is the head of
// a process group, and what is left of the group when the child has ended is killed (not where the host ignores SIGCHLD
// and the child has ended by itself: then the kernel reaps, and nobody can tell whose the number is).
class Child {
public:
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;
    ~Child();

    // Runs `program` (absolute) with no arguments and exactly this environment ("NAME=value"). Descriptor 3 is its end of
    // a socketpair, 0 to 2 are /dev/null, all others are closed; no signal is blocked or handled (what the host ignores
    // stays ignored until the program changes it); it dies with this thread.
    [[nodiscard]] static Result<Child> start(const std::string& program, const std::vector<std::string>& environment);

    // The same without another program: it runs a function. No SIGCHLD comes of it, and nobody who waits for children of the
    // usual kind finds it, whatever the host does with those: its exit status is always had.
    [[nodiscard]] static Result<Child> start(const ChildTask& task);

    [[nodiscard]] const Fd& socket() const { return socket_; }

    // Waits until there is something to read, the child has ended, or the deadline has passed. Returned is the deadline
    // for the reading: a moment from now where the child has ended, whoever holds its end of the socket still.
    [[nodiscard]] Deadline wait_for_output(Deadline deadline) const;

    // Waits for the end, kills it at the deadline.
    [[nodiscard]] ChildEnd wait_for_end(Deadline deadline);
    [[nodiscard]] std::string finish(Deadline deadline) { return wait_for_end(deadline).text(); }

private:
    Child(pid_t pid, Fd socket, bool has_signal, bool signal_was_blocked)
        : pid_(pid), has_signal_(has_signal), signal_was_blocked_(signal_was_blocked), socket_(std::move(socket))
    {
    }
    // `in_child` does not return.
    template <class InChild>
    [[nodiscard]] static Result<Child> start_with(InChild in_child, int end_signal);
    // Also ends what is left of the group, where the child has ended.
    [[nodiscard]] bool has_ended() const;
    void kill_all() const;
    // True when the child is gone, or was never ours to wait for.
    [[nodiscard]] bool reap(int& status);
    void let_go();  // of the child and of its signal

    pid_t pid_ = -1;
    bool has_signal_ = true;
    bool signal_was_blocked_ = false;
    Fd socket_;
};

// Whether root may run this: a regular file of root's that nobody else may write, in a directory of root's that nobody
// else may write, executable.
[[nodiscard]] Result<Done> check_program(const std::string& path);

}  // namespace slurm_adopt
