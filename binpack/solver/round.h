/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a fractional mix to a plan: diving with new columns on the way.
 *
 * Whole parts of the LP solution are fixed, then its most whole column; what is left is solved
 * again by column generation, until nothing is left. Works on any rest of the problem, so the local
 * search uses it too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "binpack/solver/colgen.h"
#include "binpack/solver/mix.h"

enum { BP_DIVE_WIDTH = 8 };

enum bp_dive_state {
    BP_DIVE_SOLVE, /* of what is left, then fix */
    BP_DIVE_FIX,
    BP_DIVE_TRY, /* solving after a fixing that may be taken back */
    BP_DIVE_DONE
};

struct bp_dive_limits {
    struct bp_cg_limits first, later; /* column generation at the root and below */
    double whole;                     /* columns at or above this are fixed in one go */
    double share;     /* of the columns, as far as they are more whole than not: in one go too */
    bool shuffle;     /* picks among good columns at random */
    uint32_t width;   /* columns to try where the first one hurts, 1..BP_DIVE_WIDTH */
    double tolerance; /* hurts: raises the cost by more than this part of the whole */
};

struct bp_dive {
    const struct bp_red *red;
    struct bp_cg *cg;
    struct arena *arena;
    struct bp_dive_limits limits;
    struct rng rng;
    enum bp_dive_state state;
    bool failed;
    struct bp_rest rest;
    struct bp_mix mix;
    uint32_t depth;
    double fixed; /* cost of the mix */
    double root;  /* cost of the LP at the start */

    struct bp_rest saved; /* before the fixing under trial */
    uint32_t saved_n;
    double saved_fixed, saved_sum;
    uint32_t tries[BP_DIVE_WIDTH];  /* patterns */
    uint32_t copies[BP_DIVE_WIDTH]; /* of each: more than one where a pattern that holds more of a
                                       class than is left has to be cut anyway */
    double sums[BP_DIVE_WIDTH];
    uint32_t n_tries, try_i;
    bool batch, last; /* the trial is of several columns at once; the best one is being repeated */
};

void bp_dive_init(struct bp_dive *dive, struct arena *arena, struct bp_cg *cg);

/* Starts on a rest (copied). `seed` only matters with limits.shuffle. */
void bp_dive_begin(struct bp_dive *dive, const struct bp_rest *rest,
                   const struct bp_dive_limits *limits, uint64_t seed);

/* True while there is more to do. When done, `mix` (not closed) holds nodes for all of the rest
 * that found a place; failed: the LP gave up, the mix is incomplete. */
bool bp_dive_step(struct bp_dive *dive, uint64_t work, uint64_t *spent);
