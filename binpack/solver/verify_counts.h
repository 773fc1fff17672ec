/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checker's sum over a proof by whole numbers of nodes (struct bp_count_proof): its shape, and
 * what its leaves prove when its cuts hold. Whether they hold is for verify_bound.c. Shares no code
 * with count_proof.c. */
#pragma once

#include "base/err.h"
#include "binpack/solver/problem.h"

struct arena;

/* Sizes, ranges and the tree: each step belongs to it exactly once. ERR_INTERNAL names what is
 * wrong. */
MUST_CHECK bool verify_counts_shape(const struct bp_problem *problem,
                                    const struct bp_count_proof *proof, struct err *err);

/* The bound in nano-dollars, rounded up; 0 when a leaf proves nothing. The shape has been checked.
 */
usd_t verify_counts_sum(const struct bp_problem *problem, const struct bp_count_proof *proof,
                        const uint32_t *placed, struct arena *scratch);
