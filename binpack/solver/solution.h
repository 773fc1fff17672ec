/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans as values: which of two is better, and copies that live elsewhere. */
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
