// SPDX-License-Identifier: GPL-2.0-or-later
// A wall clock that jumps each time that somebody looks at it. The monotonic one goes on as it is. Who looks is written
// down.
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "preload.h"
#include "walk.h"

namespace {

using namespace slurm_adopt::test;

time_t jumped()
{
    static time_t sum = 0;
    const char* step = std::getenv(clock_jump);
    if (step == nullptr || !is_watching()) return 0;
    return sum += std::atol(step);
}

bool is_wall_clock(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

time_t wall_clock_seconds()
{
    timespec now{};
    (void)::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return now.tv_sec + jumped();
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept
{
    const long result = ::syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && is_wall_clock(clock)) {
        walk(__builtin_return_address(0), "wall-clock", bounded("clock_gettime"));
        now->tv_sec += jumped();
    }
    return static_cast<int>(result);
}

time_t time(time_t* result) noexcept
{
    walk(__builtin_return_address(0), "wall-clock", bounded("time"));
    const time_t now = wall_clock_seconds();
    if (result != nullptr) *result = now;
    return now;
}

int gettimeofday(timeval* now, void*) noexcept
{
    walk(__builtin_return_address(0), "wall-clock", bounded("gettimeofday"));
    now->tv_sec = wall_clock_seconds();
    now->tv_usec = 0;
    return 0;
}

}  // extern "C"
