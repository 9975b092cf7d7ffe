// SPDX-License-Identifier: GPL-2.0-or-later
// A point in time by which something has to be over. Monotonic: changes of the wall clock do not matter.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace slurm_adopt {

class Deadline {
public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] static Deadline after(std::chrono::milliseconds duration) { return Deadline(Clock::now() + duration); }

    [[nodiscard]] bool passed() const { return Clock::now() >= at_; }

    // For poll(2): milliseconds left, rounded up so that poll never returns just before the deadline; 0 when passed.
    [[nodiscard]] int poll_timeout() const
    {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
        return static_cast<int>(std::clamp<decltype(left)>(left, 0, 3'600'000));
    }

    // An equal part of what is left, for the next of `parts` things that are still to be done.
    [[nodiscard]] Deadline share(std::size_t parts) const
    {
        const auto now = Clock::now();
        if (parts < 2 || now >= at_) return *this;
        return Deadline(now + (at_ - now) / static_cast<Clock::rep>(parts));
    }

    [[nodiscard]] Deadline later_by(std::chrono::milliseconds duration) const { return Deadline(at_ + duration); }

    [[nodiscard]] Deadline sooner(Deadline other) const { return Deadline(std::min(at_, other.at_)); }

private:
    explicit Deadline(Clock::time_point at) : at_(at) {}
    Clock::time_point at_;
};

}  // namespace slurm_adopt
