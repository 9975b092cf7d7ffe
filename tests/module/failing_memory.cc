// SPDX-License-Identifier: GPL-2.0-or-later
#include "failing_memory.h"

#include <cstdlib>
#include <new>

namespace {

thread_local bool counting = false;
thread_local bool failed = false;
thread_local long left = 0;
thread_local int suspended = 0;

void* allocate(std::size_t size) noexcept
{
    if (counting && suspended == 0) {
        if (left <= 0) {
            failed = true;
            return nullptr;
        }
        --left;
    }
    return std::malloc(size == 0 ? 1 : size);
}

void* allocate_or_throw(std::size_t size)
{
    void* memory = allocate(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

namespace slurm_adopt::test {

void fail_memory_after(long good)
{
    left = good;
    failed = false;
    counting = true;
}

bool stop_failing_memory()
{
    counting = false;
    return failed;
}

MemoryIsThere::MemoryIsThere()
{
    ++suspended;
}
MemoryIsThere::~MemoryIsThere()
{
    --suspended;
}

}  // namespace slurm_adopt::test

void* operator new(std::size_t size)
{
    return allocate_or_throw(size);
}
void* operator new[](std::size_t size)
{
    return allocate_or_throw(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept
{
    return allocate(size);
}
void operator delete(void* memory) noexcept
{
    std::free(memory);
}
void operator delete[](void* memory) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept
{
    std::free(memory);
}
