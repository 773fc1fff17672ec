/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The independent checker of a solution: it shares no code with the solver and uses no GLPK.
 *
 * bp_verify recomputes cost, capacity, masks, caps, exclusions, limits, stock, varieties, groups
 * and the count of placed and unplaced units from the problem, and re-proves the bound from the
 * certificate's integer duals: the largest value of a pattern of each offering is bounded again
 * from scratch in integers (dual relaxation of the knapsack, deepened where needed), in 128-bit
 * arithmetic. A solution that fails is never shown as good. */
#pragma once

#include "base/err.h"
#include "binpack/solver/problem.h"

struct arena;

/* False with ERR_INTERNAL and a text that names node, class, offering, limit or group and the two
 * numbers that disagree. `scratch` is used and rewound. */
MUST_CHECK bool bp_verify(const struct bp_problem *problem, const struct bp_solution *solution,
                          struct arena *scratch, struct err *err);

/* The same, but a bound that is merely hard to confirm is lowered to what this checker can prove
 * itself (verify_bound.h): *ret_certificate, its arrays in `arena`, different from `scratch`.
 * Whoever shows a bound shows this one. `work` is about how much
 * of it may be spent on what is hard (solve.h; UINT64_MAX: all that it takes); the bound is then
 * what is proven with that. */
MUST_CHECK bool bp_verify_proven(const struct bp_problem *problem,
                                 const struct bp_solution *solution, uint64_t work,
                                 struct arena *scratch, struct arena *arena,
                                 struct bp_certificate *ret_certificate, struct err *err);
