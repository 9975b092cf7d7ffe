// SPDX-License-Identifier: GPL-2.0-or-later
// What blocking_calls.cc says of a call: whether the time that it can wait has an end.
#pragma once

namespace slurm_adopt::test {

struct Bound {
    bool ends = false;
    const char* why = "";
};

inline Bound bounded(const char* why)
{
    return {true, why};
}
inline Bound unbounded(const char* why)
{
    return {false, why};
}

// A wait of so many milliseconds: not longer than the whole login may take.
Bound wait_bound(long milliseconds);
// Reading from or writing to a descriptor, with the flags of recv(2) and send(2).
Bound stream_bound(int fd, int flags);

// Writes the line, while the module works.
void walk(const void* caller, const char* function, const Bound& bound);

}  // namespace slurm_adopt::test
