/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Column generation: solves the LP over all patterns of a (rest) problem, a step at a time.
 *
 * A round solves the master, prices every kind at prices between the master's and the best known
 * ones (smoothing), takes the Lagrangian bound from what pricing proved and adds the patterns that
 * pay. While bound and master are far apart, what prices prove is first raised by shaving: classes
 * of patterns that are worth more than they cost get cheaper, and the kinds are priced again; that
 * takes the master's place for some turns and costs a fraction of it. It ends when bound and master
 * meet, when exact pricing finds nothing, or when the rounds allowed are used up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/master.h"
#include "binpack/solver/pricer.h"

enum bp_cg_state { BP_CG_MASTER, BP_CG_BEGIN, BP_CG_PRICE, BP_CG_COLLECT, BP_CG_DONE };

struct bp_cg_limits {
    double gap;   /* done when (cost - bound) / cost is below */
    bool certify; /* the bound is for a certificate: patterns as large as the problem's demand count
                   */
    bool shave;   /* raise what the kept prices prove before the first round */
    uint32_t rounds;
    uint32_t nodes; /* of pricing, for each kind and round */
    uint32_t
        max_level; /* times the nodes may grow sixfold for kinds whose bound stands in the way */
};

struct bp_cg {
    const struct bp_red *red;
    struct bp_master *master;
    struct bp_pricer *pricer;
    enum bp_knap_rules rules;
    struct bp_cg_limits limits;

    enum bp_cg_state state;
    uint32_t round, level;
    uint32_t nodes; /* of pricing now; grows to the limit as patterns get rare */
    double alpha;   /* weight of the best prices */
    bool exact;     /* this round prices at the master's own prices */
    bool converged; /* nothing more to find: the master is the LP */
    bool failed;
    struct err err;
    double *demand;        /* [n_classes] of this run */
    const double *upper;   /* [n_classes] most units of a class on a node: the demand of the run, or
                              of the problem when the   bound is to go into a certificate */
    double lp_cost, bound; /* of this run, in units of cost */
    double left_out;       /* units that the master leaves out */

    double *pi, *mu; /* prices of this round */
    double *best_pi, *best_mu;
    double *best_value; /* [n_kinds] proven values at best_pi */
    bool has_best;      /* best_pi and best_mu steer */
    const bool
        *skip; /* [n_kinds] kinds left out, or NULL; the bound then holds without them only */
    bool best_is_proven;       /* best_value belongs to them and to this run */
    double *threshold, *value; /* [n_kinds] */
    uint32_t *kinds;
    uint32_t n_kinds, kind_at;
    struct bp_found {
        uint32_t pattern;
        double reduced;
    } * found;
    uint32_t n_found, found_room;
    struct bp_item *top; /* [n_classes] this round's pattern of the highest value for its cost */
    uint32_t n_top;
    double top_ratio, top_cost;
    double *shave;         /* [n_classes] by what this turn's prices are too high, 0 to 1 */
    uint32_t n_shaves;     /* turns since the master was solved */
    uint32_t shave_futile; /* of them, those in a row that raised no bound */
    bool *proven;          /* [n_kinds] this round's bound is as tight as it needs to be */
};

void bp_cg_init(struct bp_cg *cg, struct arena *arena, struct bp_master *master,
                struct bp_pricer *pricer, enum bp_knap_rules rules);

/* Starts on what is left to place. keep_prices: the best prices of the last run steer this one. */
void bp_cg_begin(struct bp_cg *cg, const double *demand, const double *stock, const double *limit,
                 const struct bp_cg_limits *limits, bool keep_prices);

/* Prices to start the next run from (with keep_prices); mu may be NULL: 0. */
void bp_cg_set_prices(struct bp_cg *cg, const double *pi, const double *mu);

/* Works for about `work` units and adds what it spent to *spent. True while there is more to do. */
bool bp_cg_step(struct bp_cg *cg, uint64_t work, uint64_t *spent);
