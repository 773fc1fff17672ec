/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many nodes of each kind, as an integer program, and plans within those numbers.
 *
 * The LP over patterns says what a fraction of a node costs; where a plan has few nodes, whole ones
 * cost percents more, and rounding patterns one by one finds a good set of nodes by luck only. Here
 * the number y_k of nodes of each kind is decided first:
 *
 *   min cost.y   with  sum_k v_k y_k >= pi.demand  for every cut,  y integer
 *
 * A cut is any prices pi >= 0 of classes with upper bounds v_k of what a node of kind k holds of
 * them: the sizes themselves, the prices of the LP, and, for each y found wanting, the prices that
 * say what it lacks: column generation with the nodes of y for nothing and no others leaves units
 * out, and its duals are the next cut. When nothing is left out, a dive packs the nodes.
 *
 * Cuts hold for every plan. `slack` asks for more than they say where packing whole units failed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/colgen.h"
#include "binpack/solver/round.h"

enum { BP_COUNTS_CUTS = 48 };

enum bp_counts_state {
    BP_COUNTS_CHOOSE, /* the integer program */
    BP_COUNTS_HOLD,   /* does y hold everything, in fractions? */
    BP_COUNTS_GREEDY, /* pack it: pattern by pattern, again and again */
    BP_COUNTS_FILL,   /* the same by a dive */
    BP_COUNTS_DONE
};

struct bp_counts {
    struct bp_red part;       /* the problem, or what of it is to be packed again: demand, stock and
                                 limits are the rest's */
    const struct bp_red *red; /* part */
    struct bp_red held; /* the same problem with the nodes of y nearly for nothing, and no others */
    struct arena *arena;
    struct bp_pricer *pricer;
    struct bp_master master;
    struct bp_cg cg;
    struct bp_dive dive;
    enum bp_counts_state state;
    bool failed;
    struct err err;

    double *pi;      /* [n_classes] the LP's prices, what a unit left out counts */
    uint32_t n_cuts; /* the first ones never go */
    uint32_t n_lasting;
    double *cut_pi[BP_COUNTS_CUTS];    /* [n_classes] */
    double *cut_value[BP_COUNTS_CUTS]; /* [n_kinds] */
    double cut_need[BP_COUNTS_CUTS];
    double bound, cost; /* of the LP and of the best plan, in units of cost */
    double slack;
    double *y;  /* [n_kinds] */
    bool *skip; /* [n_kinds] y is 0 */
    double y_cost;
    struct bp_rest rest; /* everything, with the stock of y */
    double *value;       /* [n_classes] of the greedy packing: more for what was left out before */
    struct bp_mix plan;  /* what step found */
    bool whole;          /* nothing was left out */
    bool again;          /* the y of the turn before */
    uint32_t n_turns, n_idle, n_fills;
};

void bp_counts_init(struct bp_counts *counts, struct arena *arena, struct bp_pool *pool,
                    struct bp_pricer *pricer);

/* pi and value: the LP's prices with what they prove for every kind; bound: of the LP. cost: of the
 * best plan, only cheaper ones are looked for. Costs in units of cost. rest: only that is to be
 * packed, and bound and cost are of that; NULL: everything. */
void bp_counts_begin(struct bp_counts *counts, const struct bp_rest *rest, const double *pi,
                     const double *value, double bound, double cost);

/* A better plan has been found in the meantime. */
void bp_counts_set_cost(struct bp_counts *counts, double cost);

/* True while there is more to do. *ret_plan: counts->plan is one, perhaps with units left
 * out. */
bool bp_counts_step(struct bp_counts *counts, uint64_t work, uint64_t *spent, bool *ret_plan);

/* Whether y[n_kinds] nodes, whole or not, hold everything in fractions: begun here, made by
 * bp_counts_hold_step, which returns true while there is more to do. *ret_cut: whether a new cut,
 * the last one, says that they do not. */
void bp_counts_hold_begin(struct bp_counts *counts, const double *y);
bool bp_counts_hold_step(struct bp_counts *counts, uint64_t work, uint64_t *spent, bool *ret_cut);

/* After bp_counts_hold_step has found no cut for whole y: packs them, by bp_counts_step, until the
 * state is BP_COUNTS_CHOOSE. */
void bp_counts_pack_begin(struct bp_counts *counts);

void bp_counts_done(struct bp_counts *counts);
