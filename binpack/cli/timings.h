/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --timings: milliseconds (of the clock and of all processors) and arena bytes of each phase, and
 * the curve of cost and bound over work. */
#pragma once

#include "binpack/cli/console.h"
#include "binpack/solver/solve.h"

enum { TIMINGS_PHASES = 16, TIMINGS_POINTS = 400 };

struct timings {
    int64_t begun_us, last_us;         /* monotonic */
    int64_t begun_cpu_us, last_cpu_us; /* of the process */
    uint32_t n_phases, n_points;
    struct {
        const char *name; /* static */
        int64_t us, cpu_us;
        uint64_t bytes;
    } phases[TIMINGS_PHASES];
    struct {
        int64_t us; /* since begun */
        struct bp_progress progress;
    } points[TIMINGS_POINTS]; /* where cost or bound moved */
};

void timings_begin(struct timings *timings);

/* Ends a phase: the time since the last one goes to `name`, added up when it was there before. */
void timings_phase(struct timings *timings, const char *name, uint64_t bytes);

/* Notes a point of the curve when cost or bound have moved since the last one. */
void timings_point(struct timings *timings, const struct bp_progress *progress);

void timings_print(const struct timings *timings, struct console *console);
