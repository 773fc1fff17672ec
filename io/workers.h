/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads that share out independent pieces of work.
 *
 * The caller works too, so n lanes are n - 1 threads, which sleep between runs. A piece may run on
 * any lane and in any order.
 */
#pragma once

#include <stdint.h>

#include "base/parallel.h"

struct io_workers; /* opaque */

/* Processors this process may use, at least 1: its affinity, and the quota of its control group
 * (cgroup v2). */
uint32_t io_workers_processors(void);

/* Starts up to n_lanes - 1 threads (1..64 lanes; fewer when the system refuses). */
struct io_workers *io_workers_new(uint32_t n_lanes);
uint32_t io_workers_lanes(const struct io_workers *workers);

/* Calls fn(ctx, i) for i in 0..n-1 and returns when all calls have. To be called by one thread at a
 * time; fn may not call it. */
void io_workers_run(void *workers, uint32_t n, void (*fn)(void *ctx, uint32_t i), void *ctx);

/* The same as a port for pure code; valid until io_workers_free. */
struct parallel io_workers_port(struct io_workers *workers);

/* Ends the threads; NULL is fine. */
void io_workers_free(struct io_workers *workers);
