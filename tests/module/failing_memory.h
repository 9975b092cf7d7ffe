// SPDX-License-Identifier: GPL-2.0-or-later
// operator new that fails when told to (see failing_memory.cc, which replaces it in the whole program).
#pragma once

namespace slurm_adopt::test {

// From now on in this thread: `good` allocations succeed, and every later one fails. Returns to normal with stop().
void fail_memory_after(long good);
// True if one has failed since fail_memory_after().
bool stop_failing_memory();

// Memory for the test's own use while the module's fails.
class MemoryIsThere {
public:
    MemoryIsThere();
    ~MemoryIsThere();
    MemoryIsThere(const MemoryIsThere&) = delete;
    MemoryIsThere& operator=(const MemoryIsThere&) = delete;
};

}  // namespace slurm_adopt::test
