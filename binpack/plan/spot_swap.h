/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spreads the spot nodes of a solution over pools by exchanging offerings: a node moves to another
 * spot offering of the same domain that holds what it holds, the cheapest exchange first. Part of
 * make.h; what it cannot reach is left to diversify.h. */
#pragma once

#include "binpack/plan/plan.h"
#include "binpack/scheduling/problem_build.h"

/* Changes nodes and cost of `solution`, whose nodes then live in `arena`; returns what the
 * exchanges cost per hour. Limits, stock and minValues stay kept; groups cannot tell offerings of
 * one domain apart. */
usd_t spot_swap(const struct sched_problem *problem, const struct plan_spot_rules *rules,
                struct arena *arena, struct bp_solution *solution);
