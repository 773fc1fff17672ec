/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans for the same pods under other circumstances, side by side, and what rules cost.
 *
 * The price of a family of rules is the difference between the cheapest plan with it and the
 * cheapest without it. Neither is known exactly: of each there is a plan (its cost) and a lower
 * bound. So the price is an interval: at least bound(with) - cost(without), at most cost(with) -
 * bound(without); the difference of the two costs lies in it. Prices of several families do not
 * add up. */
#pragma once

#include "binpack/plan/plan.h"

struct compare_scenario {
    struct str name;            /* "base", or as asked for */
    enum plan_planner emulated; /* whose imitation made the plan */
    usd_t cost, bound;
    uint32_t n_nodes, n_spot, n_placed, n_unplaced;
    uint32_t n_pools;   /* pools (instance type and zone) that the spot nodes are in */
    uint32_t n_worst;   /* spot nodes in the pool that has most */
    struct str failure; /* why there is no plan; "" when there is one: then all else holds */
    uint32_t n_notes;   /* what was changed, and what is to be known when reading the numbers */
    const struct str *notes;
};

struct compare_price {
    struct str name, text; /* "antiaffinity", "pod anti-affinity" */
    uint32_t n;            /* in how many pods, NodePools, ... the rules were found */
    const char *thing;     /* "pod", "NodePool", ... ; static */
    usd_t low, point, high;
    struct str failure; /* why there is no price; "" when there is one */
};

struct comparison {
    struct compare_scenario base;
    uint32_t n_scenarios, n_prices;
    const struct compare_scenario *scenarios; /* [n_scenarios] in the order asked for */
    const struct compare_price *prices;       /* [n_prices] the dearest first, then by name */
    bool priced;                              /* prices were asked for */
    uint32_t n_stopped;                   /* not come to, because of an interrupt; 0 without one */
    const struct str *stopped;            /* [n_stopped] names of scenarios, texts of rules */
    const struct compare_price *together; /* all families at once; NULL with fewer than two */
};

/* The numbers of a plan; name, failure and notes are left alone. */
void compare_measure(const struct plan *plan, struct compare_scenario *scenario);

/* The price from a plan with the rules and one without. A plan that holds with the rules is one
 * without them, too: when planning again comes out dearer (it keeps preferences that the rules
 * forbade, or stopped at its gap), the plan with the rules stands, and no price is negative. */
void compare_price(const struct compare_scenario *with, const struct compare_scenario *without,
                   struct compare_price *price);

/* The families (karpenter.k8s.aws/instance-family) that new nodes cost most in, at most n, joined
 * by commas. */
struct str compare_families(const struct plan *plan, uint32_t n, struct arena *arena);
