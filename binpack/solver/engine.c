/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/engine.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/bound.h"
#include "binpack/solver/count_proof.h"
#include "binpack/solver/engine_impl.h"
#include "binpack/solver/expand.h"
#include "binpack/solver/ffd.h"

static const char *const phase_names[] = {
    [PHASE_PARTS] = "columns",   [PHASE_SHAVE] = "columns", [PHASE_FILL] = "round",
    [PHASE_COLUMNS] = "columns", [PHASE_ROUND] = "round",   [PHASE_PROVE] = "prove",
    [PHASE_COUNTS] = "counts",   [PHASE_TREE] = "counts",   [PHASE_SETTLE] = "prove",
    [PHASE_AGAIN] = "round",     [PHASE_RELAXED] = "bound", [PHASE_PLACED] = "bound",
    [PHASE_IMPROVE] = "improve", [PHASE_DONE] = "done"};

enum {
    LARGE_LP = 150, /* classes */
    FEW_UNITS = 60,
    FILL_TURNS = 60
};

static uint64_t budget_of(uint32_t effort)
{
    static const uint64_t budgets[] = {200000, 1000000, 5000000, 40000000, 400000000};
    uint32_t at = effort < 1 ? 1 : effort > 5 ? 5 : effort;
    return budgets[at - 1];
}

void bp_engine_warn(struct bp_engine *e, const struct err *err)
{
    if (e->warning[0] == '\0') {
        memcpy(e->warning, err->text, sizeof e->warning);
    }
}

/* ---- what leaving a unit out costs in the LP ---- */

static void set_penalties(struct bp_engine *e)
{
    const struct bp_red *red = &e->red;
    double dearest = 1;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        dearest = fmax(dearest, red->cost[k]);
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        e->penalty[i] = 2 * dearest * red->pods[i];
    }
    if (!red->scarce) {
        return;
    }
    double *value = ARENA_ARRAY(&e->arena, double, red->n_classes + 1);
    bp_ffd_values(red, BP_FFD_PRIORITY, value);
    double least = INFINITY;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        least = fmin(least, value[i] / red->pods[i]);
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        /* Three orders of magnitude between priorities are one here: the LP's numbers have to stay
         * sound. */
        e->penalty[i] *= fmin(1e4, cbrt(value[i] / red->pods[i] / least));
    }
}

/* ---- incumbent and bound ---- */

static void set_placed(struct bp_engine *e)
{
    for (uint32_t i = 0; i < e->red.n_classes; i++) {
        e->placed[i] = e->red.demand[i] - e->best.unplaced[i];
    }
}

static double gap_of(const struct bp_engine *e, double bound)
{
    return e->best.cost > 0 ? ((double)e->best.cost - bound) / (double)e->best.cost : 0;
}

/* What is proven about the plan. */
static usd_t proven_bound(const struct bp_engine *e)
{
    return e->counts_bound > e->bound.bound ? e->counts_bound : e->bound.bound;
}

void bp_engine_look_at_gap(struct bp_engine *e)
{
    double gap = gap_of(e, (double)proven_bound(e));
    e->optimal = gap <= 1e-9;
    e->within = gap <= e->options.gap;
}

/* Takes a closed mix as the plan if it is better. */
static bool offer_plan(struct bp_engine *e, const struct bp_mix *mix)
{
    if (e->best.closed && bp_mix_compare(mix, &e->best, &e->red) >= 0) {
        return false;
    }
    bp_mix_copy(&e->best, mix, &e->arena, &e->red);
    set_placed(e);
    e->bound.bound = bp_bound_evaluate(&e->bound, &e->red, e->placed);
    bp_engine_look_at_gap(e);
    return true;
}

/* Takes the best prices of a column generation as the certificate if they prove more. */
static void offer_bound(struct bp_engine *e, const struct bp_cg *cg)
{
    if (!cg->best_is_proven) {
        return;
    }
    if (cg->rules == BP_RULES_PLAN) {
        e->plan_bound = fmax(e->plan_bound, bp_bound_estimate(&e->red, cg->best_pi, cg->best_mu,
                                                              cg->best_value, e->placed, NULL));
        if (e->red.relaxed) {
            return;
        }
    }
    bp_bound_exact(&e->other_bound, &e->red, cg->best_pi, cg->best_mu, cg->best_value, e->placed);
    if (e->other_bound.bound > e->bound.bound) {
        struct bp_bound swap = e->bound;
        e->bound = e->other_bound;
        e->other_bound = swap;
        bp_engine_look_at_gap(e);
    }
}

/* ---- the first plan ---- */

static void first_plan(struct bp_engine *e, enum bp_ffd_values how, bool start)
{
    struct arena scratch = ARENA_INIT;
    struct bp_rest rest;
    bp_rest_init(&rest, &scratch, &e->red);
    double *value = ARENA_ARRAY(&scratch, double, e->red.n_classes + 1);
    bp_ffd_values(&e->red, how, value);
    bp_mix_clear(&e->trial);
    if (start) {
        bp_expand_start(e->options.start_nodes, e->options.n_start_nodes, &e->pool, &e->arena,
                        &rest, &e->trial);
    }
    uint64_t ops = bp_ffd_fill(&e->pricer, &e->pool, &e->arena, value, &rest, &e->trial);
    e->spent += ops / 1000;
    bp_mix_close(&e->trial, &e->pool);
    if (bp_rest_units(&rest, &e->red) > 0) {
        bp_mix_top_up(&e->trial, &rest, &e->pool, &e->arena);
        bp_mix_close(&e->trial, &e->pool);
    }
    offer_plan(e, &e->trial);
    arena_done(&scratch);
}

bool bp_engine_any_left(const struct bp_engine *e)
{
    for (uint32_t i = 0; i < e->red.n_classes; i++) {
        if (e->best.unplaced[i] > 0) {
            return true;
        }
    }
    return false;
}

static bool start_master(struct bp_master *master, struct bp_pool *pool, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t n = (uint32_t)pool->patterns.n;
    uint32_t *all = ARENA_ARRAY(&scratch, uint32_t, n + 1);
    for (uint32_t j = 0; j < n; j++) {
        all[j] = j;
    }
    return bp_master_add(master, n, all, err);
}

bool bp_engine_new(const struct bp_problem *problem, const struct bp_options *options,
                   struct bp_engine **ret_engine, struct err *err)
{
    if (!bp_problem_check(problem, err)) {
        return false;
    }
    struct arena arena = ARENA_INIT;
    struct bp_engine *e = ARENA_NEW(&arena, struct bp_engine);
    e->arena = arena;
    e->options = *options;
    e->budget = budget_of(options->effort);
    struct bp_red *red = &e->red;
    bp_red_build(red, problem, &e->arena);
    bp_pool_init(&e->pool, &e->arena, red);
    bp_pricer_init(&e->pricer, &e->arena, red, options->parallel);
    bp_bound_init(&e->bound, &e->arena, red);
    bp_bound_init(&e->other_bound, &e->arena, red);
    bp_mix_init(&e->best, &e->arena, red);
    bp_mix_init(&e->trial, &e->arena, red);
    e->placed = ARENA_ARRAY(&e->arena, double, red->n_classes + 1);
    e->value = ARENA_ARRAY(&e->arena, double, red->n_classes + 1);
    e->penalty = ARENA_ARRAY(&e->arena, double, red->n_classes + 1);
    double units = 0;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        units += red->demand[i];
    }
    e->few = units <= FEW_UNITS;
    first_plan(e, BP_FFD_SHARE, /* start= */ false);
    if (bp_engine_any_left(e)) {
        first_plan(e, BP_FFD_PRIORITY, /* start= */ false);
    }
    if (options->n_start_nodes > 0) {
        first_plan(e, BP_FFD_SHARE, /* start= */ true);
    }
    e->phase = options->algorithm == BP_FFD ? PHASE_DONE : PHASE_PARTS;
    *ret_engine = e;
    return true;
}

/* ---- phases ---- */

/* The first plan from the LP should not wait for its last digits. */
static const struct bp_cg_limits root_limits = {
    .gap = 2e-4, .certify = true, .rounds = 200, .nodes = 40, .max_level = 0};
static const struct bp_cg_limits prove_limits = {
    .gap = 2e-6, .certify = true, .rounds = 600, .nodes = 40, .max_level = 0};
static const struct bp_cg_limits settle_limits = {
    .gap = 2e-6, .certify = true, .rounds = 600, .nodes = 40, .max_level = 3};

void bp_engine_next(struct bp_engine *e, enum phase phase)
{
    e->phase = phase;
    e->begun = false;
}

uint64_t bp_engine_turn(const struct bp_engine *e, uint64_t work)
{
    uint64_t left = e->turn_until > e->spent ? e->turn_until - e->spent : 1;
    return left < work ? left : work;
}

static void keep_root_prices(struct bp_engine *e)
{
    if (e->root_pi == NULL) {
        e->root_pi = ARENA_ARRAY(&e->arena, double, e->red.n_classes + 1);
        e->root_mu = ARENA_ARRAY(&e->arena, double, e->red.n_limits + 1);
        e->root_value = ARENA_ARRAY(&e->arena, double, e->red.n_kinds + 1);
    }
    memcpy(e->root_pi, e->cg.best_pi, e->red.n_classes * sizeof(double));
    memcpy(e->root_mu, e->cg.best_mu, e->red.n_limits * sizeof(double));
    memcpy(e->root_value, e->cg.best_value, e->red.n_kinds * sizeof(double));
    e->root_bound = e->cg.best_is_proven ? e->cg.bound : 0;
}

/* Only the bound is asked for, and the pods that it is about are known. */
static bool needs_no_plan(const struct bp_engine *e)
{
    return e->options.bound_only && !bp_engine_any_left(e);
}

/* The bounds that are still missing, then local search. */
static void after_bound(struct bp_engine *e)
{
    enum phase next = needs_no_plan(e) ? PHASE_DONE : PHASE_IMPROVE;
    if (e->red.relaxed && e->phase < PHASE_RELAXED) {
        next = PHASE_RELAXED;
    } else if (!e->red.relaxed && bp_engine_any_left(e) && e->phase < PHASE_PLACED) {
        next = PHASE_PLACED;
    }
    bp_engine_next(e, next);
}

static void begin_prove(struct bp_engine *e)
{
    struct bp_cg_limits limits = e->phase == PHASE_PROVE ? prove_limits : settle_limits;
    if (needs_no_plan(e)) {
        limits.gap = fmax(limits.gap, e->options.gap);
    }
    bp_cg_set_prices(&e->cg, e->root_pi, e->root_mu);
    bp_cg_begin(&e->cg, e->red.demand, NULL, NULL, &limits, /* keep_prices= */ true);
}

static void step_prove(struct bp_engine *e, uint64_t work)
{
    bool more = bp_cg_step(&e->cg, work, &e->spent);
    offer_bound(e, &e->cg);
    if (more) {
        return;
    }
    if (e->cg.failed) {
        bp_engine_warn(e, &e->cg.err);
        bp_engine_next(e, PHASE_DONE);
        return;
    }
    keep_root_prices(e);
    if (e->phase == PHASE_SETTLE && needs_no_plan(e)) {
        after_bound(e);
    } else {
        bp_engine_next(e, e->phase == PHASE_PROVE ? PHASE_COUNTS : PHASE_AGAIN);
    }
}

static void begin_columns(struct bp_engine *e)
{
    struct err err;
    set_penalties(e);
    bp_pool_add_singles(&e->pool);
    bp_master_init(&e->master, &e->arena, &e->red, &e->pool, e->penalty);
    bp_cg_init(&e->cg, &e->arena, &e->master, &e->pricer, BP_RULES_PLAN);
    bp_dive_init(&e->dive, &e->arena, &e->cg);
    bp_improve_init(&e->improve, &e->arena, &e->dive, e->options.seed);
    if (!start_master(&e->master, &e->pool, &err)) {
        bp_engine_warn(e, &err);
        bp_engine_next(e, PHASE_DONE);
        return;
    }
    bp_parts_init(&e->parts, &e->arena, &e->pool, &e->pricer, e->penalty);
}

void bp_engine_finish_dive(struct bp_engine *e)
{
    struct bp_dive *dive = &e->dive;
    if (bp_rest_units(&dive->rest, &e->red) > 0) {
        auto_arena scratch = ARENA_INIT;
        double *value = ARENA_ARRAY(&scratch, double, e->red.n_classes + 1);
        bp_ffd_values(&e->red, e->red.scarce ? BP_FFD_PRIORITY : BP_FFD_SHARE, value);
        bp_mix_close(&dive->mix, &e->pool);
        bp_mix_top_up(&dive->mix, &dive->rest, &e->pool, &e->arena);
        e->spent +=
            bp_ffd_fill(&e->pricer, &e->pool, &e->arena, value, &dive->rest, &dive->mix) / 1000;
    }
    bp_mix_close(&dive->mix, &e->pool);
    offer_plan(e, &dive->mix);
}

/* Greedy plans at the parts' prices, again and again: classes that end up on nodes that waste money
 * are worth more the next time (sequential value correction). Good where classes are many. One plan
 * a call; false when it has had its turns. */
static bool fill_by_prices(struct bp_engine *e)
{
    const struct bp_red *red = &e->red;
    auto_arena scratch = ARENA_INIT;
    struct bp_rest rest;
    bp_rest_init(&rest, &scratch, red);
    bp_mix_clear(&e->trial);
    e->spent += bp_ffd_fill(&e->pricer, &e->pool, &e->arena, e->value, &rest, &e->trial) / 1000 + 1;
    for (uint32_t x = 0; x < e->trial.n; x++) {
        const struct bp_pattern *p = &e->pool.patterns.v[e->trial.entries[x].pattern];
        const struct bp_item *items = e->pool.items.v + p->at;
        double worth = 0;
        for (uint32_t j = 0; j < p->n_items; j++) {
            worth += e->value[items[j].class_i] * items[j].count;
        }
        double ratio = fmin(1.5, red->cost[p->kind] / fmax(worth, 1e-9));
        for (uint32_t j = 0; j < p->n_items && ratio > 0; j++) {
            double share =
                items[j].count * (double)e->trial.entries[x].count / red->demand[items[j].class_i];
            e->value[items[j].class_i] *= 1 + 0.3 * share * (ratio - 1);
        }
    }
    bp_mix_close(&e->trial, &e->pool);
    offer_plan(e, &e->trial);
    return ++e->turn < FILL_TURNS;
}

/* Classes that have become one take the highest price: each unit is worth at least that to
 * somebody. */
static void set_start_prices(struct bp_engine *e)
{
    const struct bp_red *red = &e->red;
    auto_arena scratch = ARENA_INIT;
    double *pi = ARENA_ARRAY(&scratch, double, red->n_classes + 1);
    double scale = red->unit * (double)(1 << BP_DUAL_BITS);
    for (uint32_t i = 0; i < red->n_classes; i++) {
        for (uint32_t s = red->source_at[i]; s < red->source_at[i + 1]; s++) {
            pi[i] = fmax(pi[i], (double)e->options.start_dual[red->source[s]] / scale);
        }
    }
    bp_cg_set_prices(&e->cg, pi, NULL);
}

static void begin_root(struct bp_engine *e)
{
    struct bp_cg_limits limits = root_limits;
    bool parts = e->parts.n_columns > 0, warm = !parts && e->options.start_dual != NULL;
    if (warm) {
        set_start_prices(e);
        limits.shave = true;
    }
    if (parts) {
        limits.gap = 5e-3; /* the plan is near by now */
    }
    if (needs_no_plan(e)) {
        limits.gap = fmax(limits.gap, e->options.gap);
        limits.max_level = settle_limits.max_level;
    }
    bp_cg_begin(&e->cg, e->red.demand, NULL, NULL, &limits,
                /* keep_prices= */ parts || warm);
}

static void step_parts(struct bp_engine *e, uint64_t work)
{
    /* Prices from last round are better than those of parts. */
    if (e->options.start_dual == NULL && bp_parts_step(&e->parts, work, &e->spent)) {
        return;
    }
    struct err err;
    if (e->parts.n_columns > 0) {
        bp_mix_copy(&e->dive.mix, &e->parts.mix, &e->arena, &e->red);
        bp_rest_copy(&e->dive.rest, &e->parts.rest, &e->red);
        bp_engine_finish_dive(e);
        if (!bp_master_add(&e->master, e->parts.n_columns, e->parts.columns, &err)) {
            bp_engine_warn(e, &err);
            bp_engine_next(e, PHASE_DONE);
            return;
        }
        for (uint32_t i = 0; i < e->red.n_classes; i++) {
            e->value[i] = e->parts.pi[i] + 1e-9;
        }
        bp_engine_next(e, PHASE_SHAVE);
    } else {
        bp_engine_next(e, PHASE_COLUMNS);
    }
}

/* Parts price their classes by what they cost alone. One round tells what that proves of the whole
 * and leaves prices that hold for it. */
static void begin_shave(struct bp_engine *e)
{
    struct bp_cg_limits limits = root_limits;
    limits.shave = true;
    limits.rounds = 1;
    bp_cg_set_prices(&e->cg, e->parts.pi, NULL);
    bp_cg_begin(&e->cg, e->red.demand, NULL, NULL, &limits, /* keep_prices= */ true);
}

static void step_columns(struct bp_engine *e, uint64_t work)
{
    bool more = bp_cg_step(&e->cg, work, &e->spent);
    offer_bound(e, &e->cg);
    if (more) {
        return;
    }
    if (e->cg.failed) {
        bp_engine_warn(e, &e->cg.err);
        bp_engine_next(e, PHASE_DONE);
        return;
    }
    if (e->phase == PHASE_SHAVE) {
        bp_engine_next(e, PHASE_FILL);
        return;
    }
    keep_root_prices(e);
    bp_engine_next(e, needs_no_plan(e)         ? PHASE_SETTLE
                      : e->parts.n_columns > 0 ? PHASE_IMPROVE
                                               : PHASE_ROUND);
}

static const struct bp_dive_limits first_dive = {
    .first = {.gap = 1e-6, .rounds = 2, .nodes = 20, .max_level = 0},
    .later = {.gap = 1e-5, .rounds = 6, .nodes = 20, .max_level = 0},
    .whole = 0.75,
    .share = 0.08,
    .width = 1,
    .tolerance = 1};
/* Large LPs: few steps, and none of them prices; local search mends it. */
static const struct bp_dive_limits quick_dive = {
    .first = {.gap = 1e-6, .rounds = 0, .nodes = 20, .max_level = 0},
    .later = {.gap = 1e-5, .rounds = 0, .nodes = 20, .max_level = 0},
    .whole = 0.7,
    .share = 0.15,
    .width = 1,
    .tolerance = 1};
static const struct bp_dive_limits careful_dive = {
    .first = {.gap = 1e-6, .rounds = 3, .nodes = 40, .max_level = 0},
    .later = {.gap = 1e-5, .rounds = 20, .nodes = 20, .max_level = 0},
    .whole = 0.75,
    .share = 0.05,
    .width = 6,
    .tolerance = 3e-6};

static void step_round(struct bp_engine *e, uint64_t work)
{
    if (bp_dive_step(&e->dive, work, &e->spent)) {
        return;
    }
    bp_engine_finish_dive(e);
    if (e->dive.failed) {
        bp_engine_warn(e, &e->cg.err);
        bp_engine_next(e, PHASE_DONE);
    } else if (e->phase == PHASE_ROUND) {
        bp_engine_next(e, PHASE_PROVE);
    } else {
        after_bound(e);
    }
}

static void begin_relaxed(struct bp_engine *e)
{
    struct err err;
    bp_pool_init(&e->relaxed_pool, &e->arena, &e->red);
    for (uint32_t j = 0; j < e->pool.patterns.n; j++) {
        const struct bp_pattern *p = &e->pool.patterns.v[j];
        bool is_new;
        bp_pool_add(&e->relaxed_pool, p->kind, e->pool.items.v + p->at, p->n_items, &is_new);
    }
    bp_master_init(&e->relaxed_master, &e->arena, &e->red, &e->relaxed_pool, e->penalty);
    bp_cg_init(&e->relaxed_cg, &e->arena, &e->relaxed_master, &e->pricer, BP_RULES_NECESSARY);
    if (!start_master(&e->relaxed_master, &e->relaxed_pool, &err)) {
        bp_engine_warn(e, &err);
        after_bound(e);
        return;
    }
    /* Capacity only: the multipliers of the last searches prove less than they could, never too
     * much. */
    bp_cg_begin(&e->relaxed_cg, e->placed, NULL, NULL, &settle_limits, /* keep_prices= */ false);
}

static void step_relaxed(struct bp_engine *e, uint64_t work)
{
    bool more = bp_cg_step(&e->relaxed_cg, work, &e->spent);
    offer_bound(e, &e->relaxed_cg);
    if (!more) {
        if (e->relaxed_cg.failed) {
            bp_engine_warn(e, &e->relaxed_cg.err);
        }
        bp_master_done(&e->relaxed_master);
        after_bound(e);
    }
}

static void step_placed(struct bp_engine *e, uint64_t work)
{
    bool more = bp_cg_step(&e->cg, work, &e->spent);
    offer_bound(e, &e->cg);
    if (more) {
        return;
    }
    if (e->cg.failed) {
        bp_engine_warn(e, &e->cg.err);
        bp_engine_next(e, PHASE_DONE);
        return;
    }
    after_bound(e);
}

static void step_improve(struct bp_engine *e, uint64_t work)
{
    bool turns = (e->tree_begun && !e->tree_over) || e->many;
    bool more = bp_improve_step(&e->improve, turns ? bp_engine_turn(e, work) : work, &e->spent);
    if (bp_improve_has_new(&e->improve)) {
        offer_plan(e, bp_improve_plan(&e->improve));
    }
    if (!more) {
        if (e->improve.failed) {
            bp_engine_warn(e, &e->cg.err);
        }
        bp_engine_next(e, PHASE_DONE);
    } else if (e->spent >= e->turn_until && e->tree_begun && !e->tree_over) {
        bp_engine_next(e, PHASE_TREE);
    } else if (e->spent >= e->turn_until && e->many) {
        bp_engine_next(e, PHASE_COUNTS);
    }
}

static void begin_phase(struct bp_engine *e)
{
    e->begun = true;
    switch (e->phase) {
    case PHASE_PARTS:
        begin_columns(e);
        break;
    case PHASE_SHAVE:
        begin_shave(e);
        break;
    case PHASE_FILL:
        break;
    case PHASE_COLUMNS:
        begin_root(e);
        break;
    case PHASE_TREE:
        bp_engine_begin_tree(e);
        break;
    case PHASE_PROVE:
    case PHASE_SETTLE:
        begin_prove(e);
        break;
    case PHASE_ROUND:
    case PHASE_AGAIN: {
        auto_arena scratch = ARENA_INIT;
        struct bp_rest rest;
        bp_rest_init(&rest, &scratch, &e->red);
        bool small = e->phase == PHASE_AGAIN || (e->few && !e->options.plan_only);
        const struct bp_dive_limits *limits = small ? &careful_dive : &first_dive;
        if (e->red.n_classes >= LARGE_LP) {
            limits = e->phase == PHASE_ROUND ? &quick_dive : &first_dive;
        }
        bp_dive_begin(&e->dive, &rest, limits, e->options.seed);
        break;
    }
    case PHASE_COUNTS:
        bp_engine_begin_counts(e);
        break;
    case PHASE_RELAXED:
        begin_relaxed(e);
        break;
    case PHASE_PLACED:
        bp_cg_begin(&e->cg, e->placed, NULL, NULL, &settle_limits, /* keep_prices= */ false);
        break;
    case PHASE_IMPROVE:
        bp_improve_begin(&e->improve, &e->best, e->root_pi, e->root_mu);
        e->settled = true;
        e->turn_until = e->spent + (e->many ? e->turn_work : e->tree_work / 4);
        break;
    case PHASE_DONE:
        break;
    }
}

static void step_phase(struct bp_engine *e, uint64_t work)
{
    switch (e->phase) {
    case PHASE_PARTS:
        step_parts(e, work);
        break;
    case PHASE_FILL:
        if (!fill_by_prices(e)) {
            bp_engine_next(e, PHASE_COLUMNS);
        }
        break;
    case PHASE_SHAVE:
    case PHASE_COLUMNS:
        step_columns(e, work);
        break;
    case PHASE_ROUND:
    case PHASE_AGAIN:
        step_round(e, work);
        break;
    case PHASE_TREE:
        bp_engine_step_tree(e, work);
        break;
    case PHASE_PROVE:
    case PHASE_SETTLE:
        step_prove(e, work);
        break;
    case PHASE_COUNTS:
        bp_engine_step_counts(e, work);
        break;
    case PHASE_RELAXED:
        step_relaxed(e, work);
        break;
    case PHASE_PLACED:
        step_placed(e, work);
        break;
    case PHASE_IMPROVE:
        step_improve(e, work);
        break;
    case PHASE_DONE:
        break;
    }
}

/* Nothing dearer than the gap asked for is left to find, certified or not. The gap is one of cost:
 * a plan that leaves units out is cheap for that very reason, and the LP has to look for their
 * place first. */
static bool is_good_enough(const struct bp_engine *e)
{
    if (e->phase < PHASE_IMPROVE && bp_engine_any_left(e)) {
        return false;
    }
    return e->within || gap_of(e, (double)e->options.known_bound) <= e->options.gap ||
           (e->red.relaxed && e->phase == PHASE_IMPROVE &&
            gap_of(e, e->plan_bound * e->red.unit) <= e->options.gap);
}

bool bp_engine_step(struct bp_engine *e, uint64_t work)
{
    uint64_t until = e->spent + work;
    while (e->phase != PHASE_DONE && e->spent < until) {
        if (atomic_load(&e->cancelled)) {
            e->stopped = true;
            return false;
        }
        if (is_good_enough(e) || e->spent >= e->budget) {
            bp_engine_next(e, PHASE_DONE);
            break;
        }
        if (!e->begun) {
            begin_phase(e);
            continue;
        }
        uint64_t left = until - e->spent;
        step_phase(e, left < 20000 ? left : 20000);
    }
    return e->phase != PHASE_DONE;
}

void bp_engine_cancel(struct bp_engine *e)
{
    atomic_store(&e->cancelled, true);
}

void bp_engine_progress(const struct bp_engine *e, struct bp_progress *ret_progress)
{
    double pods = 0;
    for (uint32_t i = 0; i < e->red.n_classes; i++) {
        pods += e->best.unplaced[i] * e->red.pods[i];
    }
    uint64_t n = (uint64_t)pods;
    const struct bp_problem *p = e->red.problem;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n += (uint64_t)p->classes[i].demand * p->classes[i].weight;
    }
    for (uint32_t i = 0; i < e->red.n_classes; i++) {
        n -= (uint64_t)(e->red.demand[i] * e->red.pods[i]);
    }
    *ret_progress = (struct bp_progress){.phase = e->spent == 0 ? "greedy" : phase_names[e->phase],
                                         .cost = e->best.cost,
                                         .bound = proven_bound(e),
                                         .work = e->spent,
                                         .n_unplaced = (uint32_t)n};
}

const char *bp_engine_warning(const struct bp_engine *e)
{
    return e->warning;
}

uint64_t bp_engine_arena_bytes(const struct bp_engine *e)
{
    uint64_t bytes = e->arena.held_bytes;
    for (uint32_t l = 0; l < e->pricer.n_lanes; l++) {
        bytes += e->pricer.lanes[l].held_bytes + e->pricer.rooms[l].held_bytes;
    }
    return bytes;
}

void bp_engine_result(const struct bp_engine *e, struct arena *arena,
                      struct bp_solution *ret_solution)
{
    *ret_solution =
        (struct bp_solution){.n_columns = (uint32_t)e->pool.patterns.n, .work = e->spent};
    bp_expand_nodes(&e->best, &e->pool, arena, ret_solution);
    struct bp_certificate *certificate = &ret_solution->certificate;
    bp_expand_bound(&e->bound, &e->red, arena, certificate);
    if (e->counts_bound > e->bound.bound) {
        certificate->bound = e->counts_bound;
        certificate->counts = bp_count_proof_copy(e->red.problem, e->proof, arena);
    }
    ret_solution->status = e->optimal   ? BP_OPTIMAL
                           : e->within  ? BP_WITHIN_GAP
                           : e->stopped ? BP_STOPPED
                                        : BP_EFFORT_DONE;
}

void bp_engine_free(struct bp_engine *e)
{
    if (e == NULL) {
        return;
    }
    bp_parts_done(&e->parts);
    bp_master_done(&e->master);
    bp_master_done(&e->relaxed_master);
    bp_counts_done(&e->counts);
    bp_tree_done(&e->tree);
    bp_pricer_done(&e->pricer);
    arena_done(&e->proof_arena);
    struct arena arena = e->arena;
    arena_done(&arena);
}
