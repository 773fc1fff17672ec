/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/pace.h"

#include "base/rng.h"

bool bucket_take(struct bucket *bucket, mono_t now, mono_t *ret_at)
{
    int64_t full = sat_mul(bucket->burst, 1000);
    if (!bucket->begun) {
        bucket->begun = true;
        bucket->level_milli = full;
        bucket->at = now;
    }
    if (now > bucket->at) {
        int64_t level = sat_add(bucket->level_milli, sat_mul(now - bucket->at, bucket->per_s));
        bucket->level_milli = level < full ? level : full;
        bucket->at = now;
    }
    if (bucket->level_milli >= 1000) {
        bucket->level_milli -= 1000;
        return true;
    }
    *ret_at = sat_add(bucket->at, muldiv_ceil(1000 - bucket->level_milli, 1, bucket->per_s));
    return false;
}

void bucket_give_back(struct bucket *bucket)
{
    bucket->level_milli += 1000;
}

int64_t pace_pause(uint32_t n_failures, int64_t first_ms, int64_t max_ms, struct rng *rng)
{
    int64_t pause = first_ms;
    for (uint32_t i = 1; i < n_failures && pause < max_ms; i++) {
        pause = sat_mul(pause, 2);
    }
    pause = pause < max_ms ? pause : max_ms;
    uint32_t spread = pause > INT32_MAX ? (uint32_t)INT32_MAX : (uint32_t)pause;
    return pause / 2 + rng_below(rng, spread + 1);
}
