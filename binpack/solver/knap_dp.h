/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact value of a knapsack that the linear relaxation does not settle, by dynamic programming.
 *
 * Most nodes hold some ten pods, and then the relaxation is about a percent too high however deep
 * one branches on it. Sizes are multiples of a common grain, so the two or three rows that bind
 * span a table of at most some hundred thousand states: the best value for each rest of these rows,
 * one pass for each item (bounded items are split into 1, 2, 4, ... units). Rows beyond the third
 * are relaxed with the multipliers of the relaxation. When the table would be too large, sizes are
 * rounded down to a coarser grain: the value is then an upper bound only.
 *
 * The caller's struct bp_lp holds items and rows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/knap_lp.h"

struct arena;
struct bp_dp;

struct bp_dp *bp_dp_new(struct arena *arena, uint32_t max_items);

/* Items range over lo..up, lambda prices the scaled rows, the table has at most `states` states.
 * Returns an upper bound of the value of every selection within the ranges. When that is above
 * cut_off and a selection that reaches the table's value is known, it is written to count[n] and
 * *ret_found is set; it may break rows that were relaxed or rounded. */
double bp_dp_run(struct bp_dp *dp, const struct bp_lp *lp, const double *lambda, const double *lo,
                 const double *up, double cut_off, uint32_t states, double *count, bool *ret_found);

uint64_t bp_dp_take_ops(struct bp_dp *dp);
