/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact search of a knapsack whose relaxation is nearly tight but whose table (knap_dp.h) would be
 * too large.
 *
 * Two rows are treated exactly: with multipliers lambda on all the others, a table over the
 * capacity of one row gives the best value of the items not yet decided for every rest of that row
 * (bounded knapsack by dynamic programming). A depth-first search over the items reads both tables
 * as bounds, which costs a few additions a node. Where the root's multipliers say little, as on
 * nodes with accelerators once those are taken, the relaxation of what is left now and then gives
 * others; they are kept and asked at every node. States met before with at least the same value are
 * dropped. Coarse tables (sizes rounded down) keep memory bounded and the bound valid.
 *
 * The caller's struct bp_lp holds items, rows and the root's multipliers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/knap_lp.h"

struct arena;
struct bp_search;

struct bp_search_hooks {
    /* A complete selection worth more than the cut-off; count[n] by item. Returns the new cut-off.
     */
    double (*found)(void *ctx, double value, const double *count);
    void *ctx;
};

struct bp_search *bp_search_new(struct arena *arena, uint32_t max_items);

/* Searches for selections worth more than cut_off within `nodes` nodes; lo/up: ranges of the items
 * that can matter, `lambda` of the scaled rows. True: none is left above the last cut-off.
 * *ret_bound: proven upper bound of everything not reported. */
bool bp_search_run(struct bp_search *search, const struct bp_lp *lp, const double *lambda,
                   const double *lo, const double *up, double cut_off, uint64_t nodes,
                   const struct bp_search_hooks *hooks, double *ret_bound);

uint64_t bp_search_take_ops(struct bp_search *search);
