/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which decisions about groups are worth packing: combinations of chosen values, judged by
 * estimate. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/spread.h"

struct arena;
struct rng;

enum { BP_CANDIDATES_MAX = 4 };

/* The best few decisions, best first: what leaves the better pods out last, then what costs least,
 * with a small preference for decisions that work in any order of placement. */
struct bp_candidates {
    struct bp_split v[BP_CANDIDATES_MAX];
    uint32_t n;
};

/* All combinations of values where they are few, else the cheapest values and single deviations
 * from them. Finds at least one. The decisions live in `arena`. */
void bp_candidates_find(struct bp_candidates *candidates, const struct bp_spread *spread,
                        struct arena *arena);

/* Random values, prices and precedence, for one more try. Lives in `arena`. */
void bp_choice_shake(struct bp_spread_choice *ret_choice, const struct bp_spread *spread,
                     struct rng *rng, struct arena *arena);

bool bp_split_equal(const struct bp_spread *spread, const struct bp_split *a,
                    const struct bp_split *b);
