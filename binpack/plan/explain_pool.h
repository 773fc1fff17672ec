/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `explain nodepool/P`: what a NodePool may buy, rule by rule, and what the plan buys of it. */
#pragma once

#include "base/err.h"
#include "binpack/plan/plan.h"

enum { EXPLAIN_POOLS_MAX = 100, EXPLAIN_POOL_CHEAPEST_MAX = 5 };

struct plan_pool_step {
    struct str rule;               /* "in the catalogue", "kubernetes.io/arch In [amd64]", ... */
    uint32_t n_types, n_offerings; /* left after it; each step only takes away */
};

struct plan_pool_explanation {
    uint32_t pool_i;                   /* into cluster->nodepools */
    uint32_t n_new, n_pods, n_running; /* nodes that the plan buys, pods on them, nodes
                                          that run */
    usd_t cost;                        /* of the new ones, per hour */
    uint32_t n_steps, n_cheapest;
    const struct plan_pool_step *steps;
    const struct plan_choice *cheapest; /* of what is left, one per type, by price */
};

/* Fills plan->pool_explanations for the NodePools of those names, in their order; everything lives
 * in `arena`. ERR_NOT_FOUND names the pool and those that there are; ERR_LIMIT. */
MUST_CHECK bool explain_pools(struct plan *plan, const struct str *names, uint32_t n,
                              struct arena *arena, struct err *err);
