/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Twins: classes that only soft rules about hosts tell apart.
 *
 * Hundreds of classes that differ in nothing but which of a few caps and exclusions they belong to
 * (one pod of each label on a node) make the linear program slow and the patterns many. The engine
 * therefore packs a coarser problem, without those exclusions and with one cap of all members of
 * those caps; then classes are named anew node by node so that every rule holds. Units for which no
 * name is left go into free room or onto nodes of their own.
 *
 * Soft are exclusions, caps of the sufficient kind, and caps that need few of the nodes which
 * others need anyway. Whatever is soft costs a lower bound little when it leaves it out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/problem.h"

struct arena;

enum {
    BP_TWINS_MIN_CLASSES = 120 /* distinct ones, below that nothing is gained */
};

struct bp_twins {
    const struct bp_problem *problem;
    struct bp_problem coarse; /* same classes and offerings, fewer caps */
    uint32_t n_sets;
    uint32_t *set_of;   /* [n_classes] twins have the same set */
    uint32_t *class_at; /* [n_sets + 1] into classes */
    uint32_t *classes;  /* by set, ascending */
    uint32_t n_brands;  /* distinct memberships in the caps that are left out */
    uint32_t *brand_of; /* [n_classes] */
    uint32_t n_soft;
    uint32_t *soft; /* [n_soft] caps of the problem that are left out */
    bool *is_soft;  /* [n_caps] */
};

/* Caps that hardly bind: ret_soft[n_caps]. */
void bp_soft_caps(const struct bp_problem *problem, bool *ret_soft, struct arena *scratch);

/* The classes without a max_per_node that soft caps imply: [n_classes] in `arena`. */
const struct bp_class *bp_soft_classes(const struct bp_problem *problem, const bool *soft,
                                       struct arena *arena);

/* False when the problem has nothing to gain, or limits or varieties that naming anew could
 * break. */
bool bp_twins_build(struct bp_twins *twins, const struct bp_problem *problem, struct arena *arena);

/* A plan of the coarse problem as one of the problem: nodes, unplaced and cost. */
void bp_twins_restore(const struct bp_twins *twins, const struct bp_solution *coarse,
                      struct bp_solution *ret_solution, struct arena *arena, struct arena *scratch);
