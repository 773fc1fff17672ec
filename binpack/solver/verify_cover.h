/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bound of the duals with whole nodes.
 *
 * The duals say what placed units are worth and what a node of each offering can be worth at most;
 * the plain bound buys parts of nodes for that. Here nodes are whole:
 *
 *   min sum_k price_k y_k  with  sum_k (v_k - mu.use_k) y_k >= pi.placed - mu.max,  y_k = 0, 1, 2,
 * ...
 *
 * over offerings without end; what offerings with an end and those for nothing can be worth is
 * taken off beforehand. Every plan's numbers of nodes satisfy this, so the minimum bounds its cost.
 * It matters where a plan has few nodes: half a node costs as much as one. */
#pragma once

#include "binpack/solver/problem.h"

struct arena;

enum {
    BP_COVER_NODES = 64,    /* where more nodes than that are needed, whole ones matter little */
    BP_COVER_STEPS = 20000, /* of the search, above that it is given up */
};

/* `placed` is [n_classes] units of the plan; certificate: dual, limit_dual and best_value, which
 * must be upper bounds for all offerings. 0 when nothing is proven. Nano-dollars. */
usd_t bp_cover_bound(const struct bp_problem *problem, const struct bp_certificate *certificate,
                     const uint32_t *placed, struct arena *scratch);
