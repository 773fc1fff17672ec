/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pricing: the most valuable pattern of one kind of node, and a proven upper bound of that value.
 *
 *   max sum p_i a_i   over integers 0 <= a_i <= u_i with  sum w_ir a_i <= C_r  for every row r
 *
 * Rows are the dimensions and the caps that can bind. Exact search by branch and bound: at each
 * node a small bounded dual simplex (the basis has as many rows as can bind, mostly 1 to 4) gives
 * multipliers lambda; the bound of the node is lambda.C + sum_i max over a_i of (p_i - lambda.w_i)
 * a_i, which holds for any lambda >= 0, so rounding errors of the simplex can only weaken it. Nodes
 * are taken best bound first, so stopping early leaves the best proven bound.
 *
 * No LP library is involved: any number of these run side by side, one `bp_knap` each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/reduce.h"

struct arena;

enum { BP_KNAP_ROWS = 48, BP_KNAP_KEPT = 4 };

/* What a pattern has to obey. */
enum bp_knap_rules {
    BP_RULES_PLAN,     /* everything but varieties */
    BP_RULES_NECESSARY /* what the lower bound may use: necessary caps only, no exclusions */
};

struct bp_knap; /* scratch memory and the search in progress */

struct bp_knap *bp_knap_new(struct arena *arena, const struct bp_red *red, uint32_t node_room);

/* Sets up the search for one kind. value[n_classes] >= 0; upper[n_classes] most units of each
 * class. A class takes part when both are positive, the kind accepts it and one unit fits. */
void bp_knap_load(struct bp_knap *knap, uint32_t kind, const double *value, const double *upper,
                  enum bp_knap_rules rules);

/* Before a deep search: leaves out classes whose units another class can stand in for, being worth
 * as much and no larger, without running out. The best value stays; fewer patterns are met on the
 * way to it. */
void bp_knap_trim(struct bp_knap *knap);

/* Searches until it is proven that nothing is worth more than max(threshold, best found) * (1 +
 * rel), or for `nodes` more nodes. May be called again to go on. Returns whether that is proven. */
bool bp_knap_run(struct bp_knap *knap, double threshold, double rel, uint32_t nodes);

/* Dynamic programming where branching on the relaxation does not end (see knap_dp.h), on at most
 * `states` states. To be called after bp_knap_run; may only lower the bound and add patterns.
 * Returns whether the same as there is proven. */
bool bp_knap_deepen(struct bp_knap *knap, double threshold, double rel, uint32_t states);

double bp_knap_bound(const struct bp_knap *knap);     /* proven; rounding errors are covered */
uint32_t bp_knap_n_found(const struct bp_knap *knap); /* patterns kept, best last */
double bp_knap_value(const struct bp_knap *knap, uint32_t found_i);

/* Writes the items of a kept pattern, ascending by class; returns their number. `items` has room
 * for n_classes. */
uint32_t bp_knap_items(const struct bp_knap *knap, uint32_t found_i, struct bp_item *items);

/* Multipliers of the dimensions at the root, in value per unit of size: [n_dims], >= 0. */
void bp_knap_lambda(const struct bp_knap *knap, double *lambda);

/* The bound that multipliers from an earlier call still prove, in O(n_classes). */
double bp_knap_quick_bound(const struct bp_red *red, uint32_t kind, const double *value,
                           const double *upper, const double *lambda);

uint64_t bp_knap_take_ops(
    struct bp_knap *knap); /* elementary steps (about a nanosecond) since the last call */
