/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/arena.h"
#include "binpack/solver/count_proof.h"
#include "binpack/solver/engine_impl.h"

enum {
    TREE_WORK = 60000, /* of the first turn; each is twice as long as the one before */
    MANY_NODES = 400,  /* then a whole node more or less is hardly seen in the cost */
    PART_NODES = 40,
    TURN_MIN = 10000, /* work of the local search between parts */
    FIRST_PARTS = 3
};

static double worth(const struct bp_red *red, const double *pi, const double *units)
{
    double sum = 0;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        sum += pi[i] * units[i];
    }
    return sum;
}

/* Some nodes of the best plan are decided anew, the others are kept. */
static void begin_part(struct bp_engine *e)
{
    const struct bp_red *red = &e->red;
    struct bp_improve *improve = &e->improve;
    bp_improve_begin(improve, &e->best, e->root_pi, e->root_mu);
    bp_improve_pick(improve, PART_NODES);
    bp_mix_clear(&e->kept);
    bp_rest_reset(&e->part, red);
    e->kept_cost = 0;
    for (uint32_t x = 0; x < e->best.n; x++) {
        const struct bp_mix_entry *entry = &e->best.entries[x];
        const struct bp_pattern *p = &e->pool.patterns.v[entry->pattern];
        uint32_t kept = entry->count - improve->taken[x];
        if (kept > 0) {
            bp_mix_add(&e->kept, &e->arena, entry->pattern, kept);
            bp_rest_take(&e->part, red, p->kind, e->pool.items.v + p->at, p->n_items, kept);
            e->kept_cost += red->price[p->kind] * kept;
        }
    }
    double share = worth(red, e->root_pi, e->part.demand) / worth(red, e->root_pi, red->demand);
    e->n_parts++;
    e->turn_from = e->spent;
    bp_counts_begin(&e->counts, &e->part, e->root_pi, e->root_value, e->root_bound * share,
                    (double)(e->best.cost - e->kept_cost) / red->unit);
}

void bp_engine_begin_counts(struct bp_engine *e)
{
    if (e->root_bound <= 0 || e->options.bound_only) {
        e->many = false;
        bp_engine_next(e, e->settled ? PHASE_IMPROVE : PHASE_SETTLE);
        return;
    }
    if (!e->counts_begun) {
        bp_counts_init(&e->counts, &e->arena, &e->pool, &e->pricer);
        bp_rest_init(&e->part, &e->arena, &e->red);
        bp_mix_init(&e->kept, &e->arena, &e->red);
        e->counts_begun = true;
        e->many = e->best.n_priced > MANY_NODES;
    }
    if (!e->many) {
        bp_counts_begin(&e->counts, NULL, e->root_pi, e->root_value, e->root_bound,
                        (double)e->best.cost / e->red.unit);
    } else if (e->red.n_limits == 0) {
        begin_part(e);
    } else {
        e->many = false; /* prices of limits do not belong to a part */
        bp_engine_next(e, PHASE_SETTLE);
    }
}

/* What the packing of whole numbers of nodes has come to. */
static void offer_packed(struct bp_engine *e)
{
    struct bp_dive *dive = &e->dive;
    bp_mix_copy(&dive->mix, &e->counts.plan, &e->arena, &e->red);
    for (uint32_t x = 0; e->many && x < e->kept.n; x++) {
        bp_mix_add(&dive->mix, &e->arena, e->kept.entries[x].pattern, e->kept.entries[x].count);
    }
    bp_rest_reset(&dive->rest, &e->red);
    for (uint32_t x = 0; x < dive->mix.n; x++) {
        const struct bp_pattern *p = &e->pool.patterns.v[dive->mix.entries[x].pattern];
        bp_rest_take(&dive->rest, &e->red, p->kind, e->pool.items.v + p->at, p->n_items,
                     dive->mix.entries[x].count);
    }
    bp_engine_finish_dive(e);
}

void bp_engine_step_counts(struct bp_engine *e, uint64_t work)
{
    const struct bp_red *red = &e->red;
    struct bp_counts *counts = &e->counts;
    bool plan;
    bool more = bp_counts_step(counts, work, &e->spent, &plan);
    if (plan) {
        offer_packed(e);
        double cost = (double)(e->best.cost - (e->many ? e->kept_cost : 0)) / red->unit;
        if (cost < counts->cost) {
            bp_counts_set_cost(counts, cost);
        }
    }
    if (!more) {
        if (counts->failed) {
            bp_engine_warn(e, &counts->err);
        }
        if (e->many) {
            e->turn_work = e->spent - e->turn_from;
            e->turn_work = e->turn_work > TURN_MIN ? e->turn_work : TURN_MIN;
            bp_engine_next(e, e->settled                  ? PHASE_IMPROVE
                              : e->n_parts >= FIRST_PARTS ? PHASE_SETTLE
                                                          : PHASE_COUNTS);
            return;
        }
        bool tree = !counts->failed && !red->relaxed && !bp_engine_any_left(e);
        bp_engine_next(e, tree ? PHASE_TREE : PHASE_SETTLE);
    }
}

/* What the tree proves by now. Nothing is left out: the bound is for the whole demand, and holds
 * for any better plan too. */
static void keep_proof(struct bp_engine *e)
{
    const struct bp_problem *p = e->red.problem;
    auto_arena scratch = ARENA_INIT;
    struct arena arena = ARENA_INIT;
    uint32_t *placed = ARENA_ARRAY(&scratch, uint32_t, p->n_classes + 1);
    for (uint32_t s = 0; s < e->red.source_at[e->red.n_classes]; s++) {
        placed[e->red.source[s]] = p->classes[e->red.source[s]].demand;
    }
    const struct bp_count_proof *proof = bp_tree_proof(&e->tree, &arena);
    usd_t bound = proof == NULL ? 0 : bp_count_proof_bound(p, proof, placed, &scratch);
    if (bound > e->counts_bound) {
        struct arena before = e->proof_arena;
        e->proof_arena = arena;
        e->proof = proof;
        e->counts_bound = bound;
        arena = before;
        bp_engine_look_at_gap(e);
    }
    arena_done(&arena);
}

/* In turns with the local search: the better the plan, the sooner the tree ends. */
void bp_engine_step_tree(struct bp_engine *e, uint64_t work)
{
    bool plan, more = bp_tree_step(&e->tree, bp_engine_turn(e, work), &e->spent, &plan);
    if (plan) {
        offer_packed(e);
        bp_tree_set_cost(&e->tree, (double)e->best.cost / e->red.unit);
    }
    if (more && e->spent < e->turn_until) {
        return;
    }
    e->tree_over = !more || e->options.plan_only;
    keep_proof(e);
    bool first = e->tree_work == TREE_WORK;
    e->tree_work *= 2;
    bp_engine_next(e, first ? PHASE_SETTLE : PHASE_IMPROVE);
}

void bp_engine_begin_tree(struct bp_engine *e)
{
    double cost = (double)e->best.cost / e->red.unit;
    if (!e->tree_begun) {
        bp_tree_init(&e->tree, &e->arena, &e->counts, cost);
        e->tree_begun = true;
        e->tree.holds = e->few;
        e->tree_work = TREE_WORK;
    }
    bp_tree_set_cost(&e->tree, cost);
    e->turn_until = e->spent + e->tree_work;
}
