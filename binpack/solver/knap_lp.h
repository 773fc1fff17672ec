/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The linear relaxation of a bounded knapsack with few rows.
 *
 *   max value.x   with  row.x <= cap,  lo <= x <= up
 *
 * A dual simplex with an explicit inverse of the basis. A variable outside the basis rests on the
 * bound that the sign of its reduced value asks for, so any basis whose row prices are not negative
 * is a valid start whatever the bounds are: the basis of the last node, or the empty one. Rows are
 * scaled by powers of two, which loses nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arena;

enum { BP_LP_ROWS = 48 };

struct bp_lp {
    uint32_t n, n_rows;
    double *value;           /* [n] > 0 */
    double *lo, *up;         /* [n] */
    double *x;               /* [n] the solution */
    double *row[BP_LP_ROWS]; /* [n_rows][n] scaled */
    double cap[BP_LP_ROWS];  /* scaled */
    double scale[BP_LP_ROWS];
    uint32_t row_id[BP_LP_ROWS]; /* the caller's name of the row */
    double lambda[BP_LP_ROWS];   /* >= 0, prices of the scaled rows */
    uint32_t basis[BP_LP_ROWS];  /* item, or n + row for its slack */

    /* internal */
    double *d, *alpha, *rest, *ratio;
    uint32_t *queue;
    unsigned char *state; /* [n + rows] */
    double inverse[BP_LP_ROWS][BP_LP_ROWS];
    double xb[BP_LP_ROWS];
    uint32_t n_pivots; /* since the basis was last built afresh */
    uint32_t room;
    struct arena *arena;
    uint64_t ops;
};

void bp_lp_init(struct bp_lp *lp, struct arena *arena, uint32_t max_items);
void bp_lp_clear(struct bp_lp *lp); /* no rows, no items */

/* A new row of n weights for the caller to fill in; the caller sets n before. */
double *bp_lp_add_row(struct bp_lp *lp, double cap, uint32_t row_id);
void bp_lp_ready(struct bp_lp *lp); /* scales the rows, empties the basis */

/* Lowers `up` to what fits beside all `lo`. False when the lower bounds alone do not fit. */
bool bp_lp_clip(struct bp_lp *lp);

/* Solves for the current bounds; sets x and lambda. Returns an upper bound that holds even if the
 * simplex gave up. */
double bp_lp_solve(struct bp_lp *lp);

uint64_t bp_lp_take_ops(struct bp_lp *lp);
