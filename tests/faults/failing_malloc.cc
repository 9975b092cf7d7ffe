// SPDX-License-Identifier: GPL-2.0-or-later
// malloc() and its like, which fail as the environment says: also for opendir, getpwnam and libpam on the module's behalf.
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "preload.h"

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
}

namespace {

using namespace slurm_adopt::test;

long number(const char* name, long otherwise)
{
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::atol(text);
}

long asked = 0;
int failed = 0;

bool fails()
{
    if (!is_watching()) return false;
    static const long good = number(good_mallocs, -1);
    static const long failing = number(failing_mallocs, 1);
    if (good < 0) return false;
    const long now = asked++;
    if (now < good || (failing > 0 && now >= good + failing)) return false;
    ++failed;
    errno = ENOMEM;
    return true;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size)
{
    return fails() ? nullptr : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size)
{
    return fails() ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size)
{
    return fails() ? nullptr : __libc_realloc(memory, size);
}

// How many have failed: none, and the login has run to its end as ever.
__attribute__((visibility("default"))) int slurm_adopt_failed_mallocs()
{
    return failed;
}

}  // extern "C"
