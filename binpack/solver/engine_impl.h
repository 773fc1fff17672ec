/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the engine: what its phases share. engine.c runs them; engine_counts.c holds those that
 * work on whole numbers of nodes. */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "binpack/solver/bound.h"
#include "binpack/solver/colgen.h"
#include "binpack/solver/count_tree.h"
#include "binpack/solver/counts.h"
#include "binpack/solver/engine.h"
#include "binpack/solver/improve.h"
#include "binpack/solver/mix.h"
#include "binpack/solver/parts.h"
#include "binpack/solver/round.h"

enum phase {
    PHASE_PARTS,   /* the LP for the classes of one mask at a time: prices and columns to start from
                    */
    PHASE_SHAVE,   /* what those prices prove */
    PHASE_FILL,    /* greedy plans at those prices */
    PHASE_COLUMNS, /* the LP over all patterns */
    PHASE_ROUND,   /* the first dive */
    PHASE_PROVE,   /* the LP again with exact pricing */
    PHASE_COUNTS,  /* whole numbers of nodes of each kind, and plans within them */
    PHASE_TREE,    /* a bound that knows that nodes are whole */
    PHASE_SETTLE,  /* the LP again with deeper searches */
    PHASE_AGAIN,   /* a dive from there */
    PHASE_RELAXED, /* the bound's own LP, when the plan obeys more than it may use */
    PHASE_PLACED,  /* the LP again for the pods that are placed */
    PHASE_IMPROVE, /* local search */
    PHASE_DONE
};

struct bp_engine {
    struct arena arena;
    struct bp_options options;
    struct bp_red red;
    struct bp_pool pool, relaxed_pool;
    struct bp_pricer pricer;
    struct bp_master master, relaxed_master;
    struct bp_cg cg, relaxed_cg;
    struct bp_dive dive;
    struct bp_counts counts;
    struct bp_tree tree;
    bool counts_begun;
    bool many; /* nodes: counts are for a part of them at a time */
    struct bp_rest part;
    struct bp_mix kept; /* nodes outside the part */
    usd_t kept_cost;
    uint32_t n_parts;              /* so far */
    bool settled;                  /* the local search has begun */
    uint64_t turn_from, turn_work; /* of the last turn of counts: when it began, how long it took */
    bool tree_begun, tree_over;
    uint64_t tree_work;                 /* of its next turn, and of the local search before it */
    uint64_t turn_until;                /* of the phase, where it is one of several turns */
    const struct bp_count_proof *proof; /* or NULL */
    struct arena proof_arena;           /* of it */
    usd_t counts_bound;                 /* of it, for a plan that leaves nothing out */
    struct bp_improve improve;
    struct bp_bound bound, other_bound;
    struct bp_mix best, trial;
    double *penalty, *placed;
    double *value; /* [n_classes] of the greedy plans */
    uint32_t turn;
    struct bp_parts parts;
    double *root_pi,
        *root_mu;      /* best prices of the last LP over everything: dives leave others behind */
    double plan_bound; /* units of cost: what the LP with all rules proves; not certified */
    double *root_value, root_bound; /* [n_kinds] what they prove */
    enum phase phase;
    bool begun; /* the phase has been set up */
    bool few;   /* units: whole plans are proven best, and it pays to look carefully at once */
    uint64_t spent, budget;
    atomic_bool cancelled;
    bool stopped, optimal, within;
    char warning[ERR_TEXT_MAX];
};

void bp_engine_warn(struct bp_engine *e, const struct err *err); /* the first one is kept */
void bp_engine_next(struct bp_engine *e, enum phase phase);
/* The work of a step, cut where the turn of the phase ends: there, and nowhere else, whatever the
 * length of steps. */
uint64_t bp_engine_turn(const struct bp_engine *e, uint64_t work);
void bp_engine_look_at_gap(struct bp_engine *e);
bool bp_engine_any_left(const struct bp_engine *e); /* does the best plan leave units out? */

/* e->dive holds a plan and what it left out: places the rest greedily and offers it. */
void bp_engine_finish_dive(struct bp_engine *e);

void bp_engine_begin_counts(struct bp_engine *e);
void bp_engine_step_counts(struct bp_engine *e, uint64_t work);
void bp_engine_begin_tree(struct bp_engine *e);
void bp_engine_step_tree(struct bp_engine *e, uint64_t work);
