/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much the free room of a node can be worth: an upper bound of the value of the pods that fit
 * into it, proven in integers.
 *
 * For any multipliers L >= 0 of the dimensions, sum_d L_d C_d + sum_i u_i max(0, pi_i - L.w_i) is
 * at least what any pods of value pi_i, size w_i and number u_i are worth that fit into C. The
 * multipliers come from the linear relaxation in floating point; the sum is in integers, so a poor
 * multiplier makes the bound weaker, never wrong. */
#pragma once

#include "binpack/solver/problem.h"

struct arena;
struct room_values; /* opaque; lives in the arena */

/* `dual` is [n_classes], scaled by 2^BP_DUAL_BITS; both must outlive the result. */
struct room_values *room_values_new(const struct bp_problem *problem, const int64_t *dual,
                                    struct arena *arena);

/* The bound for `capacity`, [n_dims], on a node of `domain`; scaled by 2^BP_DUAL_BITS. */
int64_t room_value(struct room_values *values, uint32_t domain, const int64_t *capacity);
