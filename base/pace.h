/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast to ask others: a token bucket for the rate, and growing pauses after failures. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/units.h"

struct rng;

/* Lets `burst` through at once and `per_s` a second in the long run. A clock that stands still or
 * jumps back gives nothing. */
struct bucket {
    int64_t per_s, burst; /* > 0 */
    int64_t level_milli;  /* thousandths of a token */
    mono_t at;            /* when the level was looked at */
    bool begun;
};

/* True takes one; false: *ret_at is when there will be one. */
MUST_CHECK bool bucket_take(struct bucket *bucket, mono_t now, mono_t *ret_at);

/* For what was taken and not used after all. */
void bucket_give_back(struct bucket *bucket);

/* The pause after the n-th failure in a row (n >= 1): first_ms, doubled each time up to max_ms, and
 * of that a random part between one half and three halves, so that clients do not come back
 * together. */
int64_t pace_pause(uint32_t n_failures, int64_t first_ms, int64_t max_ms, struct rng *rng);
