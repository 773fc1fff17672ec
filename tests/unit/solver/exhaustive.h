/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact optimum of a tiny problem by trying every plan. Shares no code with the solver. */
#pragma once

#include <stdint.h>

#include "binpack/solver/problem.h"

struct arena;

struct exhaustive {
    usd_t cost; /* cheapest plan among those that leave the fewest pods out, by priority */
    const uint32_t *unplaced; /* [n_classes] of that plan */
    usd_t cost_of_placed;     /* cheapest plan that places exactly the given units; -1: none */
    uint64_t n_plans;
};

/* placed[n_classes]: for cost_of_placed. False when there are more than max_plans plans. */
bool exhaustive_solve(const struct bp_problem *problem, const uint32_t *placed, uint64_t max_plans,
                      struct arena *arena, struct exhaustive *ret);
