/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/clock.h"

#include <sys/resource.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec now = {.tv_sec = 0, .tv_nsec = 0};
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

wall_t io_clock_wall(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

mono_t io_clock_mono(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t io_clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t io_clock_cpu_us(void)
{
    return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t io_peak_memory_kib(void)
{
    struct rusage usage = {.ru_maxrss = 0};
    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}
