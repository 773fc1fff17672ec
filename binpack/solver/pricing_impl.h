/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What pricing.c and pricing_load.c share: the knapsack in progress. */
#pragma once

#include "binpack/solver/knap_dp.h"
#include "binpack/solver/knap_lp.h"
#include "binpack/solver/knap_search.h"
#include "binpack/solver/pricing.h"

enum branch_kind { BRANCH_ROOT, BRANCH_UP, BRANCH_DOWN, BRANCH_DROP, BRANCH_DROP_SIDE };

struct node {
    double bound; /* nothing below the node is worth more */
    double limit; /* UP, DOWN: the new bound of the item */
    int32_t parent;
    uint32_t item; /* UP, DOWN, DROP: the item; DROP_SIDE: the item that stays */
    uint32_t rule; /* DROP_SIDE: exclusion * 2 + side */
    enum branch_kind kind;
};

struct bp_knap {
    struct bp_lp lp; /* the relaxation; its items are ours */
    const struct bp_red *red;
    uint32_t kind;
    enum bp_knap_rules rules;
    uint32_t *class_of; /* [lp.n] */
    double *upper;      /* [lp.n] root upper bounds */
    uint32_t *order;    /* [lp.n] by value per scarce resource, best first */
    double *density;
    double *count;         /* [lp.n] candidate under construction */
    uint64_t *support;     /* [n_words] classes of the candidate */
    uint32_t n_exclusions; /* that can matter here */
    uint32_t *exclusions;
    double root_lambda[BP_KNAP_ROWS];
    double root_bound;
    double *root_d; /* [lp.n] reduced values at the root */
    double *deep_lo, *deep_up, *deep_count;
    struct bp_dp *dp;
    struct bp_search *search;
    double deep_threshold, deep_rel;
    double deep_bound; /* INFINITY until bp_knap_deepen has run */

    struct node *nodes;
    uint32_t n_nodes, node_room;
    uint32_t *heap;
    uint32_t n_heap;
    double pruned; /* largest bound among nodes cut off */
    bool started;

    uint32_t n_found;
    double found_value[BP_KNAP_KEPT];
    double *found[BP_KNAP_KEPT]; /* [lp.n] counts */
    uint64_t ops;
};
