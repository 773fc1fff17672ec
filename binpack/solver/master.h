/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The restricted master: the cheapest fractional mix of known patterns.
 *
 *   min  sum cost_k x_j + sum penalty_i y_i
 *   sum_j a_ij x_j + y_i >= demand_i      (pi_i)    y_i: units left out
 *   sum_{j of k} x_j <= stock_k           (sigma_k) for kinds with finite stock, added with their
 * first pattern sum_j use_rk x_j <= limit_r           (mu_r)
 *
 * Warm from call to call: new columns keep the basis for the primal simplex, new right-hand sides
 * for the dual one. When the GLPK environment is lost the LP is built again from the pool. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "binpack/solver/glpk_box.h"
#include "binpack/solver/pattern.h"

struct bp_master {
    const struct bp_red *red;
    struct bp_pool *pool;
    struct arena *arena;
    struct bp_glp *glp;
    double *demand;        /* [n_classes] */
    double *stock;         /* [n_kinds] left */
    double *limit;         /* [n_limits] left */
    const double *penalty; /* [n_classes] cost of leaving a unit out */
    uint32_t *stock_row;   /* [n_kinds], UINT32_MAX: no row yet */
    uint32_t n_rows;
    uint32_t n_active;     /* rows that ask for something: the others cost the LP next to nothing */
    VEC(uint32_t) columns; /* pattern of column n_classes + c */
    VEC(uint32_t) column_of; /* by pattern: c + 1, 0: not in */
    bool rhs_changed;
    uint32_t n_rebuilt;

    double cost;      /* of the last solution */
    double *x;        /* [columns.n] */
    double *left_out; /* [n_classes] */
    size_t x_room;
    double *pi, *sigma, *mu; /* [n_classes], [n_kinds], [n_limits]; >= 0 */
    double *row_dual, *all_x;
    size_t row_room;
};

void bp_master_init(struct bp_master *master, struct arena *arena, const struct bp_red *red,
                    struct bp_pool *pool, const double *penalty);
void bp_master_done(struct bp_master *master);

/* Right-hand sides for what is left to place; NULL stock and limit: all of it. */
MUST_CHECK bool bp_master_set_rest(struct bp_master *master, const double *demand,
                                   const double *stock, const double *limit, struct err *err);
bool bp_master_has(const struct bp_master *master, uint32_t pattern);
MUST_CHECK bool bp_master_add(struct bp_master *master, uint32_t n, const uint32_t *patterns,
                              struct err *err);

/* Some pivots; *ret_done when optimal: cost, x, left_out and duals are then set. *ret_work: work
 * units spent. */
MUST_CHECK bool bp_master_solve(struct bp_master *master, uint32_t pivots, bool *ret_done,
                                uint64_t *ret_work, struct err *err);

/* Removes columns outside the basis whose reduced cost is above rel times their cost. */
MUST_CHECK bool bp_master_purge(struct bp_master *master, double rel, struct err *err);

/* Reduced cost of a pattern at the last duals. */
double bp_master_reduced(const struct bp_master *master, uint32_t kind, const struct bp_item *items,
                         uint32_t n);
