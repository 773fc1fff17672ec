/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GLPK, boxed: the only place that includes glpk.h.
 *
 * GLPK calls abort() on misuse and when its memory limit is reached. Here an error hook jumps out
 * instead, the thread's GLPK environment is thrown away, and the call returns ERR_SOLVER; every LP
 * of that thread is dead then and says so on the next call. Its environment is thread-local, so an
 * LP belongs to the thread that made it: a call from another thread gives ERR_SOLVER as well, and
 * the caller builds the LP again. Nothing is ever printed. All calls that can fail return false
 * with ERR_SOLVER.
 *
 * The LP is  min cost.x  subject to rows, x >= 0. Rows and columns count from 0 here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct bp_glp;

enum bp_glp_row { BP_ROW_AT_LEAST, BP_ROW_AT_MOST };
enum bp_glp_method { BP_PRIMAL, BP_DUAL };
enum bp_glp_status {
    BP_GLP_OPTIMAL,
    BP_GLP_MORE, /* the pivot limit was reached: call again */
    BP_GLP_INFEASIBLE,
    BP_GLP_FAILED /* singular, cycling or unbounded: the basis was reset, a second failure is final
                   */
};

/* Columns in one piece: column c has entries start[c] .. start[c+1]-1 of row and value. */
struct bp_glp_columns {
    uint32_t n;
    const double *cost, *upper; /* upper: NULL or INFINITY: none */
    const uint32_t *start;      /* [n + 1] */
    const uint32_t *row;
    const double *value;
};

MUST_CHECK bool bp_glp_new(struct arena *arena, struct bp_glp **ret_glp, struct err *err);
void bp_glp_free(
    struct bp_glp *glp); /* NULL and dead ones are fine; the struct itself belongs to the arena */
bool bp_glp_is_alive(const struct bp_glp *glp);

MUST_CHECK bool bp_glp_add_rows(struct bp_glp *glp, uint32_t n, enum bp_glp_row kind,
                                const double *bound, struct err *err);
MUST_CHECK bool bp_glp_set_row(struct bp_glp *glp, uint32_t row, enum bp_glp_row kind, double bound,
                               struct err *err);
MUST_CHECK bool bp_glp_add_columns(struct bp_glp *glp, const struct bp_glp_columns *columns,
                                   struct err *err);
/* One more row; its entries are value[n] in columns[n]. */
MUST_CHECK bool bp_glp_add_row(struct bp_glp *glp, enum bp_glp_row kind, double bound, uint32_t n,
                               const uint32_t *columns, const double *value, struct err *err);
MUST_CHECK bool bp_glp_delete_columns(struct bp_glp *glp, uint32_t n, const uint32_t *columns,
                                      struct err *err);
MUST_CHECK bool bp_glp_set_upper(struct bp_glp *glp, uint32_t column, double upper,
                                 struct err *err);
MUST_CHECK bool bp_glp_set_cost(struct bp_glp *glp, uint32_t column, double cost, struct err *err);

/* At most `pivots` pivots, or more where an LP stalls call after call; *ret_pivots says how many
 * were made. */
MUST_CHECK bool bp_glp_simplex(struct bp_glp *glp, enum bp_glp_method method, uint32_t pivots,
                               enum bp_glp_status *ret_status, uint32_t *ret_pivots,
                               struct err *err);

/* The last solution. Any pointer may be NULL. x, column_dual and basic are per column, row_dual per
 * row. */
MUST_CHECK bool bp_glp_read(struct bp_glp *glp, double *ret_cost, double *x, double *row_dual,
                            double *column_dual, bool *basic, struct err *err);

struct bp_glp_mip {
    uint32_t nodes; /* limit on branch-and-bound nodes */
    double cut_off; /* only solutions of less cost matter; INFINITY: any */
    double rel_gap;
    bool found;         /* out: x holds a solution */
    bool proven;        /* out: no better one exists below the cut-off */
    double cost, bound; /* out */
    uint64_t pivots;    /* out */
};

/* All columns integer, from scratch, with upper bounds rounded down. x[n_columns]. */
MUST_CHECK bool bp_glp_integer(struct bp_glp *glp, struct bp_glp_mip *mip, double *x,
                               struct err *err);
