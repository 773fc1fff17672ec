/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The best plan of a tiny problem with groups, by complete enumeration.
 *
 * Model. A *state* is a number of units of every class. For each tuple of axis values, the least
 * cost of holding a state on nodes of that tuple is a dynamic program over states (all node-level
 * rules are in it). Then every distribution of the units over the tuples is listed that leaves out
 * less or costs less than a plan that is known (adding units never makes a state cheaper, so most
 * are cut off early). In the order of what is left out, then of cost, the first one that an order
 * of placement reaches is the best plan. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/spread.h"

struct arena;

enum {
    BP_EXACT_STATES = 1024,
    BP_EXACT_PODS = 60,
    BP_EXACT_DISTRIBUTIONS = 100000,
    BP_EXACT_REPLAYS = 20000,
    BP_EXACT_STEPS = 40 * 1000 * 1000 /* of the dynamic programs, about a nanosecond each */
};

enum bp_exact_answer {
    BP_EXACT_GAVE_UP, /* too large, or a limit would bind */
    BP_EXACT_NONE,    /* no plan is better than the one given */
    BP_EXACT_FOUND    /* *ret_plan has nodes, unplaced and cost, in `arena` */
};

/* `known` is a plan to beat. *ret_work is set in all cases, in units of solve.h. */
enum bp_exact_answer bp_spread_exact(const struct bp_spread *spread,
                                     const struct bp_solution *known, struct bp_solution *ret_plan,
                                     uint64_t *ret_work, struct arena *arena,
                                     struct arena *scratch);
