/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The best plan of a tiny problem with groups, by complete enumeration.
 *
 * Model. A *state* is a number of units of every class. For each tuple of axis values, the least cost of holding a state on nodes of
 * that tuple is a dynamic program over states (all node-level rules are in it). Then every distribution of the units over the tuples is
 * listed, what is left out first, then by cost; the first one that an order of placement reaches is the best plan. */
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

/* Returns false when the problem is too large or a limit would bind. Otherwise *ret_plan has nodes, unplaced and cost, in `arena`.
 * *ret_work is set in both cases, in units of solve.h. */
bool bp_spread_exact(const struct bp_spread *spread, struct bp_solution *ret_plan, uint64_t *ret_work,
                     struct arena *arena, struct arena *scratch);
