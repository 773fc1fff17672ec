/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A port: somebody who can run independent pieces of work at once.
 *
 * A pure room that has such pieces takes a `struct parallel`; io/ has one with threads. NULL stands
 * for one after the other. What comes out must not depend on it: pieces write to places of their
 * own and are merged by index. */
#pragma once

#include <stdint.h>

struct parallel {
    /* Runs fn(ctx, i) for i in 0..n-1, in any order and on any thread, and returns when all are
     * done. */
    void (*run)(void *port_ctx, uint32_t n, void (*fn)(void *ctx, uint32_t i), void *ctx);
    void *port_ctx;
    uint32_t n_lanes; /* >= 1: how many pieces may run at once */
};
