/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact proofs about bounded knapsacks with several rows: is no combination of items worth more
 * than a target?
 *
 * Part of the checker (see verify_bound.h for the method). Values, weights and capacities are
 * integers; the answer true is a proof, false means a better combination exists or the work ran
 * out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arena;

typedef __int128 wide_t;

struct verify_knapsack {
    uint32_t n_items, n_rows;
    const int64_t *value;    /* [n_items] > 0 */
    const int64_t *weight;   /* [n_items][n_rows] >= 0 */
    const int64_t *count;    /* [n_items] >= 0, the most of each */
    const int64_t *capacity; /* [n_rows] >= 0 */
    int64_t target;          /* >= 0 */
    uint32_t frac_bits;      /* of multipliers; see verify_knapsack_frac_bits */
    uint32_t max_nodes;      /* branches before giving up */
    uint64_t *steps;         /* how many are left (about a nanosecond each): what is spent is taken
                                off; NULL: without end */
};

enum verify_knapsack_answer {
    VERIFY_KNAPSACK_PROVEN,   /* *ret_value is the target */
    VERIFY_KNAPSACK_EXCEEDED, /* a combination worth more exists: *ret_value */
    VERIFY_KNAPSACK_GAVE_UP   /* the smallest bound reached: *ret_value */
};

/* Takes steps off; false when there are not enough left. */
bool verify_knapsack_spend(const struct verify_knapsack *knapsack, uint64_t steps);

/* The most fraction bits that keep the arithmetic within 128 bits for targets up to max_target. */
uint32_t verify_knapsack_frac_bits(int64_t max_target);

/* multipliers: [n_rows] value per unit of weight, scaled by 2^frac_bits; a starting guess (such as
 * the result for a similar knapsack) and, afterwards, the best ones found at the root. Any contents
 * are safe. */
enum verify_knapsack_answer verify_knapsack_prove(const struct verify_knapsack *knapsack,
                                                  wide_t *multipliers, wide_t *ret_value,
                                                  struct arena *scratch);
