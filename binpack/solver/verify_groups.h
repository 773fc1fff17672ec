/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checker's replay of spread, together and apart rules: can the pods of a plan be placed one
 * after the other so that each one is allowed at its moment?
 *
 * Model. Node-level facts do not matter here, only how many pods of each class end up under each
 * tuple of axis values. Pods of classes with the same part in every group are one *kind*; a *cell*
 * is a kind under one tuple, with the number of its pods. The replay places pods of cells in
 * rounds, always choosing what does the least harm:
 *   - what no group counts is placed as soon as it may be;
 *   - what a spread counts is placed level by level, lowest value first, and carriers before other
 * targets of the same value;
 *   - a self-starting group whose carriers stand in one value without any other target there must
 * start there, so every other target waits for it.
 *
 * Why this is enough. APART does not depend on the order at all. TOGETHER is monotone apart from
 * the start: more targets never take a permission away. For one SPREAD, swapping an adjacent pair
 * (other target, carrier) of the same value into (carrier, other target) keeps both allowed, so
 * carriers first is no loss; and a value at the minimum can always take its next pod, so level by
 * level reaches every final count that some order reaches, which is exactly when base + carriers of
 * the value <= max_skew + final minimum. Several spreads that count each other's carriers can need
 * a cleverer order: when the rounds get stuck, the other policies are tried, and if the number of
 * partial placements is small (VERIFY_GROUPS_STATES) all of them are explored, which is exact. So
 * the replay never accepts what has no order; in large entangled plans it may refuse what has one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "binpack/solver/problem.h"

struct arena;

enum { VERIFY_GROUPS_STATES = 1 << 16 };

/* `units` of a class on nodes of a domain. */
struct bp_placing {
    uint32_t class_i, domain_i, units;
};

/* True when some order was found. Otherwise false and ERR_INTERNAL naming group, class, value and
 * the two numbers; then stuck_pods[i], if not NULL ([n_placings], entries of the same class and
 * tuple share theirs in order), says how many pods of each entry were left over by the order that
 * got furthest; without them an order exists for the others. `scratch` is rewound. */
MUST_CHECK bool bp_verify_groups(const struct bp_problem *problem, uint32_t n_placings,
                                 const struct bp_placing *placings, uint32_t *stuck_pods,
                                 struct arena *scratch, struct err *err);
