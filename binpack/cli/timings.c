/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/timings.h"

#include "base/arena.h"
#include "io/clock.h"

#include <inttypes.h>
#include <string.h>

void timings_begin(struct timings *timings)
{
    timings->begun_us = io_clock_mono_us();
    timings->last_us = timings->begun_us;
    timings->begun_cpu_us = io_clock_cpu_us();
    timings->last_cpu_us = timings->begun_cpu_us;
    timings->n_phases = 0;
    timings->n_points = 0;
}

void timings_phase(struct timings *timings, const char *name, uint64_t bytes)
{
    int64_t now = io_clock_mono_us();
    int64_t spent = now - timings->last_us;
    timings->last_us = now;
    int64_t cpu = io_clock_cpu_us();
    int64_t spent_cpu = cpu - timings->last_cpu_us;
    timings->last_cpu_us = cpu;
    for (uint32_t i = 0; i < timings->n_phases; i++) {
        if (strcmp(timings->phases[i].name, name) == 0) {
            timings->phases[i].us += spent;
            timings->phases[i].cpu_us += spent_cpu;
            timings->phases[i].bytes =
                bytes > timings->phases[i].bytes ? bytes : timings->phases[i].bytes;
            return;
        }
    }
    if (timings->n_phases < TIMINGS_PHASES) {
        timings->phases[timings->n_phases].name = name;
        timings->phases[timings->n_phases].us = spent;
        timings->phases[timings->n_phases].cpu_us = spent_cpu;
        timings->phases[timings->n_phases].bytes = bytes;
        timings->n_phases++;
    }
}

void timings_point(struct timings *timings, const struct bp_progress *progress)
{
    uint32_t n = timings->n_points;
    if (n > 0 && timings->points[n - 1].progress.cost == progress->cost &&
        timings->points[n - 1].progress.bound == progress->bound) {
        return;
    }
    n = n < TIMINGS_POINTS ? n : TIMINGS_POINTS - 1; /* when full, the last point follows the end */
    timings->points[n].us = io_clock_mono_us() - timings->begun_us;
    timings->points[n].progress = *progress;
    timings->n_points = n + 1;
}

void timings_print(const struct timings *timings, struct console *console)
{
    auto_arena scratch = ARENA_INIT;
    bool quiet = console->quiet;
    console->quiet = false; /* asked for */
    for (uint32_t i = 0; i < timings->n_phases; i++) {
        console_say(
            console,
            "timing phase=%s ms=%" PRId64 ".%03" PRId64 " arenaBytes=%" PRIu64 " cpuMs=%" PRId64,
            timings->phases[i].name, timings->phases[i].us / 1000, timings->phases[i].us % 1000,
            timings->phases[i].bytes, timings->phases[i].cpu_us / 1000);
    }
    int64_t total = timings->last_us - timings->begun_us;
    int64_t total_cpu = timings->last_cpu_us - timings->begun_cpu_us;
    console_say(console,
                "timing phase=total ms=%" PRId64 ".%03" PRId64 " peakKiB=%" PRId64
                " cpuMs=%" PRId64,
                total / 1000, total % 1000, io_peak_memory_kib(), total_cpu / 1000);
    for (uint32_t i = 0; i < timings->n_points; i++) {
        const struct bp_progress *p = &timings->points[i].progress;
        struct str cost = text_usd(&scratch, p->cost, 6);
        struct str bound = text_usd(&scratch, p->bound, 6);
        console_say(console,
                    "timing point ms=%" PRId64 " work=%" PRIu64 " usdPerHour=" STR_FMT
                    " lowerBound=" STR_FMT " unplaced=%u phase=%s",
                    timings->points[i].us / 1000, p->work, STR_ARG(cost), STR_ARG(bound),
                    p->n_unplaced, p->phase);
    }
    console->quiet = quiet;
}
