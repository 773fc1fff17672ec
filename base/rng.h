/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small seeded generator (splitmix64): the same seed gives the same numbers on every machine. Not
 * for secrets. */
#pragma once

#include <stdint.h>

struct rng {
    uint64_t state;
};

uint64_t rng_next(struct rng *rng);
uint32_t rng_below(struct rng *rng, uint32_t n); /* 0..n-1; n > 0 */
