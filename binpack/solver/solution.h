/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans as values: which of two is better, what bounds them, and copies that live elsewhere. */
#pragma once

#include <stdbool.h>

#include "binpack/solver/problem.h"

struct arena;

/* More pods placed (by priority, then count), else cheaper, else fewer nodes to buy. */
bool bp_solution_is_better(const struct bp_problem *problem, const struct bp_solution *a,
                           const struct bp_solution *b);

/* *to is a plan in `arena`; the certificate is the one of `from`, its arrays are not copied. */
void bp_solution_copy_plan(const struct bp_problem *problem, const struct bp_solution *from,
                           struct arena *arena, struct bp_solution *to);

/* The bound that the duals of a certificate prove, with its best values as they stand and whole
 * nodes where that is more, for a plan
 * that leaves unplaced[i] units of class i out; 0 when they prove nothing. */
usd_t bp_certificate_bound(const struct bp_problem *problem,
                           const struct bp_certificate *certificate, const uint32_t *unplaced);
