/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the solver's numbers to a plan: which pods go on which node, what each node is called, what
 * else could carry its pods. Part of make.h. */
#pragma once

#include "binpack/emulate/karpenter.h"
#include "binpack/plan/make.h"
#include "binpack/scheduling/problem_build.h"

struct assembly {
    const struct sched_problem *problem;
    const struct bp_solution *solution; /* lives in `arena` */
    const struct make_settings *settings;
    struct arena *arena; /* of the plan */
    struct plan *plan;
    uint32_t n_buyable;
    const uint32_t *buyable; /* offerings that can be bought, by variant, zone, capacity type,
                                reservation and price; see options.c */
};

/* Nodes, placements, costs, classes and offerings of the plan; `ret_placed` [cluster->n_pods] says
 * which pods got a place. */
void assemble_nodes(struct assembly *assembly, bool *ret_placed);

/* The same for a plan that another planner made. Classes and offerings are those of the problem
 * that its bound is about. */
void assemble_emulated(struct assembly *assembly, const struct emu_plan *emulated,
                       bool *ret_placed);

/* The settings of the placement rules that follow from those of a make. */
struct sched_settings make_sched_settings(const struct make_settings *settings);

/* Only which pods got a place. */
void assemble_placed(const struct assembly *assembly, bool *ret_placed);

/* Sorts the offerings that can be bought, for assemble_options. */
void assemble_options_index(struct assembly *assembly);

/* Types that hold what the node holds, in the same pool, zone and capacity type, cheapest first,
 * `offering_i`'s own type among them. */
void assemble_options(const struct assembly *assembly, const struct bp_node *node,
                      struct plan_node *ret_node);

/* A copy of the problem that needs nothing but `arena`. */
const struct bp_problem *problem_copy(const struct bp_problem *problem, struct arena *arena);
