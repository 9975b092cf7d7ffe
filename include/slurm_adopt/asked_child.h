// SPDX-License-Identifier: GPL-2.0-or-later
// A question to the kernel that may never be answered (a page of a user's that a FUSE daemon has to bring, a home on a dead
// server), put by a fork of this process instead of by itself.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "slurm_adopt/child.h"
#include "slurm_adopt/deadline.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt {

// What a child has answered. It ends by itself, at once; the destructor waits for that, so this is kept while there is
// something else to do.
struct Answer {
    std::string bytes;
    Child child;
};

// A question that has been put: the child is at it while there is something else to do. Its destructor kills the child.
class AskedChild {
public:
    // The child runs task.run; what that needs of the context it has by then, in its copy of our memory.
    [[nodiscard]] static Result<AskedChild> start(const ChildTask& task);

    // Once: what it has written, at most `most` bytes; a longer answer is ErrorCode::too_large. Where it returns anything but 0
    // that is the errno of an ErrorCode::system, and what it wrote counts for nothing; ErrorCode::timed_out: nothing by the
    // deadline. The child is killed then; where not even that ends it, it is left behind as Child says, and closes nothing of ours
    // later: it holds no descriptor but `given`, `held` and its own end.
    [[nodiscard]] Result<Answer> answer(std::size_t most, Deadline deadline);

    // Nobody wants to know any more. false: not even killing ends it.
    [[nodiscard]] bool abandon();

private:
    explicit AskedChild(Child child) : child_(std::move(child)) {}

    Child child_;
};

// Both at once.
[[nodiscard]] Result<Answer> ask_child(const ChildTask& task, std::size_t most, Deadline deadline);

// The same for a callable int(int out, int given) noexcept: see ChildTask for what it may do.
template <class Question>
[[nodiscard]] Result<AskedChild> start_asking(const Question& question, int given, int held, const ProcessIdentity* as)
{
    static_assert(std::is_nothrow_invocable_r_v<int, const Question&, int, int>);
    const auto run = [](const void* context, int out, int in) noexcept {
        return (*static_cast<const Question*>(context))(out, in);
    };
    return AskedChild::start({.run = run, .context = &question, .given = given, .held = held, .as = as});
}

template <class Question>
[[nodiscard]] Result<Answer> ask_child(const Question& question, int given, int held, const ProcessIdentity* as,
                                       std::size_t most, Deadline deadline)
{
    auto asked = start_asking(question, given, held, as);
    if (!asked) return std::move(asked).error();
    return asked.value().answer(most, deadline);
}

// For a question: all of it, or an errno. Async-signal-safe.
[[nodiscard]] int write_answer(int out, const char* bytes, std::size_t size) noexcept;

// For a question: what `from` has, from where it is, to `out`; at most one byte more than `most`, so that ask_child() can
// see that it is too long. 0 or an errno. Async-signal-safe.
[[nodiscard]] int copy_answer(int out, int from, std::size_t most) noexcept;

}  // namespace slurm_adopt
