/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One thread that works while the loop turns: one job at a time, handed over and back.
 *
 * What a job may touch is its own from io_worker_start until `done` is called, which happens in a
 * turn of the loop. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct io_loop;
struct io_worker; /* opaque */

struct io_job {
    void *ctx;
    void (*run)(void *ctx);  /* on the thread */
    void (*done)(void *ctx); /* on the loop */
};

/* ERR_IO when the system gives no thread. */
MUST_CHECK bool io_worker_new(struct io_loop *loop, struct io_worker **ret_worker, struct err *err);

/* Waits until the job under way has run; its `done` is not called. NULL is fine. */
void io_worker_free(struct io_worker *worker);

/* No job may be under way. */
void io_worker_start(struct io_worker *worker, const struct io_job *job);
bool io_worker_is_busy(const struct io_worker *worker); /* until `done` has been called */
