/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The problem that is left once groups are decided, and the way back.
 *
 * A tied class becomes one class for each tuple where it has units, with those units as its demand
 * and the domains of that tuple as its mask. All node-level rules carry over. The engine packs the
 * result; its nodes hold the same pods under the original classes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/spread.h"

struct arena;

struct bp_split_problem {
    struct bp_problem problem; /* no groups; may have no classes */
    uint32_t *class_of;        /* [problem.n_classes] of the original problem, ascending */
    uint32_t *tuple_of;        /* [problem.n_classes] or UINT32_MAX: the class is not tied */
};

/* The result lives in `arena` and points into the original problem. */
void bp_split_problem_build(const struct bp_spread *spread, const struct bp_split *split,
                            struct bp_split_problem *ret_split_problem, struct arena *arena);

/* The plan of the split problem as one of the original problem: nodes, unplaced and cost (the
 * certificate is not touched). Units that no order of placement lets through are taken off their
 * nodes again (with the engine placing everything there are none); what stays has an order. */
void bp_split_restore(const struct bp_spread *spread, const struct bp_split *split,
                      const struct bp_split_problem *split_problem,
                      const struct bp_solution *packed, struct bp_solution *ret_solution,
                      struct arena *arena, struct arena *scratch);

/* The same repair for any plan of the original problem: returns false when nothing had to be taken
 * off. */
bool bp_split_repair(const struct bp_problem *problem, struct bp_solution *solution,
                     struct arena *arena, struct arena *scratch);
