/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event loop: one thread that waits for descriptors, timers, wakes of other threads and
 * interrupts, and calls whoever asked for them.
 *
 * Callbacks run inside io_loop_turn only, one after the other; each may watch, unwatch, set and
 * stop anything, its own included. The clocks are read once a turn, before the callbacks. While a
 * loop exists SIGINT and SIGTERM come as an event of the loop: the first one is what
 * io_signals_interrupted says, the second ends the process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/units.h"

struct io_loop; /* opaque */

enum { IO_READABLE = 1, IO_WRITABLE = 2 }; /* hang-ups and errors come as both */

typedef void (*io_ready_fn)(void *ctx, unsigned ready);
typedef void (*io_due_fn)(void *ctx, mono_t now);

/* A timer belongs to whoever embeds it; fn and ctx are filled in before it is set. */
struct io_timer {
    io_due_fn fn;
    void *ctx;
    mono_t at;
    uint32_t place; /* internal: 1 + index while set */
};

/* ERR_IO when the system refuses (out of descriptors). */
MUST_CHECK bool io_loop_new(struct io_loop **ret_loop, struct err *err);
void io_loop_free(struct io_loop *loop); /* NULL is fine */

/* Calls fn whenever `fd` is what `want` (IO_READABLE | IO_WRITABLE) says; a second call changes
 * what is wanted. ERR_IO; ERR_LIMIT above LIMIT_DESCRIPTORS. */
MUST_CHECK bool io_loop_watch(struct io_loop *loop, int fd, unsigned want, io_ready_fn fn,
                              void *ctx, struct err *err);
/* To be called before the descriptor is closed; not being watched is fine. */
void io_loop_unwatch(struct io_loop *loop, int fd);

/* Fires once, in the first turn that is not before `at`. Setting it again moves it. */
void io_timer_set(struct io_loop *loop, struct io_timer *timer, mono_t at);
void io_timer_stop(struct io_loop *loop, struct io_timer *timer);

/* What another thread calls to end the wait of the loop's thread. */
void io_loop_wake(struct io_loop *loop);

/* Waits until something is to be done and does it. ERR_IO only for what should not happen. */
MUST_CHECK bool io_loop_turn(struct io_loop *loop, struct err *err);

mono_t io_loop_now(const struct io_loop *loop);  /* of this turn */
wall_t io_loop_wall(const struct io_loop *loop); /* of this turn */

/* How long the callbacks of the last turn took, in microseconds: what was waited for is not in it.
 */
int64_t io_loop_work_us(const struct io_loop *loop);
