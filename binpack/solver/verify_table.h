/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Proofs for knapsacks of few units: a table over the rows with few units, multipliers for the
 * others, and labels.
 *
 * A linear bound of a node that holds a handful of pods leaves a gap of some thousandths that
 * branching closes slowly. Here some rows (processors, a cap) are kept exact in a table over their
 * units; the other rows are priced. If that bound is not enough, all partial combinations are built
 * item by item, as labels (units used of the exact rows, weight used of the priced ones, value); a
 * label is dropped when another one of the same units is no heavier and no less valuable, or when
 * its value and the table's bound of what can follow do not exceed the target. No label left is a
 * proof. Arithmetic and answers as in verify_knapsack.h. */
#pragma once

#include "binpack/solver/verify_knapsack.h"

enum {
    VERIFY_TABLE_STEPS = 400000,  /* states times items of one table */
    VERIFY_TABLE_LABELS = 200000, /* at one time */
    VERIFY_TABLE_PRICED = 2       /* rows with a multiplier, beside the exact ones */
};

/* row[n_rows]: the rows that can bind, multipliers[n_rows] of them, at any scale of quality;
 * most[n_items] of each item. *ret_value stays where there is no table, and is an upper bound when
 * the answer is VERIFY_KNAPSACK_GAVE_UP otherwise. */
enum verify_knapsack_answer verify_table_prove(const struct verify_knapsack *knapsack,
                                               uint32_t n_rows, const uint32_t *row,
                                               const wide_t *multipliers, const int64_t *most,
                                               wide_t *ret_value, struct arena *scratch);
