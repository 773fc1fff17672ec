/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/colgen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "binpack/solver/bound.h"

enum {
    NODES_FIRST = 3,
    FEW = 12,
    DEEP_STATES = 32768,
    BATCH = 48,
    PIVOTS = 100,
    COLUMNS_MIN = 30,
    PURGE_FACTOR = 4,
    PURGE_MORE = 200,
    SHAVE_TURNS = 40,
    SHAVE_FUTILE = 2,
    CLOSER_KINDS = 8
};

/* Shaving: worth it while bound and master are so far apart; a class gets cheaper by this power of
 * what the worst pattern that holds it costs for its worth. */
#define SHAVE_GAP  1e-2
#define SHAVE_RATE 0.4

/* Searching some kinds more deeply is worth it where that may close such a part of what lies
 * between bound and master. */
#define CLOSER 0.2

/* GLPK's tolerance of reduced costs is 1e-7 absolute, prices are about 1: a column that pays by
 * less would be found for ever. */
#define PAYS          2e-6
#define THRESHOLD_REL 5e-6

void bp_cg_init(struct bp_cg *cg, struct arena *arena, struct bp_master *master,
                struct bp_pricer *pricer, enum bp_knap_rules rules)
{
    const struct bp_red *red = master->red;
    *cg = (struct bp_cg){.red = red, .master = master, .pricer = pricer, .rules = rules};
    cg->state = BP_CG_DONE;
    cg->demand = ARENA_ARRAY(arena, double, red->n_classes + 1);
    cg->pi = ARENA_ARRAY(arena, double, red->n_classes + 1);
    cg->best_pi = ARENA_ARRAY(arena, double, red->n_classes + 1);
    cg->mu = ARENA_ARRAY(arena, double, red->n_limits + 1);
    cg->best_mu = ARENA_ARRAY(arena, double, red->n_limits + 1);
    cg->best_value = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    cg->threshold = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    cg->value = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    cg->kinds = ARENA_ARRAY(arena, uint32_t, red->n_kinds + 1);
    cg->proven = ARENA_ARRAY(arena, bool, red->n_kinds + 1);
    cg->top = ARENA_ARRAY(arena, struct bp_item, red->n_classes + 1);
    cg->shave = ARENA_ARRAY(arena, double, red->n_classes + 1);
    cg->found_room = BP_KNAP_KEPT * (red->n_kinds + 1);
    cg->found = ARENA_ARRAY(arena, struct bp_found, cg->found_room);
}

static void fail(struct bp_cg *cg)
{
    cg->failed = true;
    cg->state = BP_CG_DONE;
}

void bp_cg_begin(struct bp_cg *cg, const double *demand, const double *stock, const double *limit,
                 const struct bp_cg_limits *limits, bool keep_prices)
{
    const struct bp_red *red = cg->red;
    cg->limits = *limits;
    cg->round = cg->level = 0;
    cg->nodes = limits->nodes < NODES_FIRST ? limits->nodes : NODES_FIRST;
    cg->alpha = 0.5;
    cg->converged = cg->failed = false;
    cg->exact = false;
    cg->bound = 0;
    cg->lp_cost = INFINITY;
    cg->has_best &= keep_prices;
    cg->best_is_proven = false;
    memcpy(cg->demand, demand, red->n_classes * sizeof(double));
    cg->upper = limits->certify ? red->demand : cg->demand;
    cg->state = BP_CG_MASTER;
    if (!bp_master_set_rest(cg->master, demand, stock, limit, &cg->err)) {
        fail(cg);
    }
}

void bp_cg_set_prices(struct bp_cg *cg, const double *pi, const double *mu)
{
    memcpy(cg->best_pi, pi, cg->red->n_classes * sizeof(double));
    for (uint32_t r = 0; r < cg->red->n_limits; r++) {
        cg->best_mu[r] = mu != NULL ? mu[r] : 0;
    }
    cg->has_best = true;
}

/* ---- states ---- */

static void do_master(struct bp_cg *cg, uint64_t *spent)
{
    bool done = false;
    uint64_t work = 0;
    if (!bp_master_solve(cg->master, PIVOTS, &done, &work, &cg->err)) {
        fail(cg);
        return;
    }
    *spent += work;
    if (!done) {
        return;
    }
    cg->lp_cost = cg->master->cost;
    cg->left_out = 0;
    for (uint32_t i = 0; i < cg->red->n_classes; i++) {
        cg->left_out += cg->master->left_out[i];
    }
    bool close = cg->lp_cost - cg->bound <= cg->limits.gap * fabs(cg->lp_cost);
    if (cg->round > 0 && close) {
        cg->converged = true;
    }
    cg->state = cg->converged || cg->round >= cg->limits.rounds ? BP_CG_DONE : BP_CG_BEGIN;
}

static double charge(const struct bp_cg *cg, const double *mu, uint32_t kind)
{
    double sum = cg->red->cost[kind];
    for (uint32_t r = 0; r < cg->red->n_limits; r++) {
        sum += mu[r] * cg->red->limit_use[(size_t)r * cg->red->n_kinds + kind];
    }
    return sum;
}

/* Every kind at the prices of cg->pi and cg->mu. */
static void begin_pricing(struct bp_cg *cg)
{
    const struct bp_red *red = cg->red;
    cg->n_kinds = 0;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        cg->value[k] = 0;
        cg->threshold[k] = (charge(cg, cg->mu, k) + cg->master->sigma[k]) * (1 + THRESHOLD_REL);
        /* A kind that is used up still counts for the bound through its stock in the problem. */
        cg->proven[k] = true;
        if (cg->skip == NULL || !cg->skip[k]) {
            cg->kinds[cg->n_kinds++] = k;
        }
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        cg->shave[i] = 1;
    }
    cg->kind_at = 0;
    cg->level = 0;
    cg->n_top = 0;
    cg->top_ratio = 0;
    cg->state = BP_CG_PRICE;
}

static void do_begin(struct bp_cg *cg)
{
    const struct bp_red *red = cg->red;
    const struct bp_master *master = cg->master;
    double alpha = cg->has_best && !cg->exact ? cg->alpha : 0;
    if (cg->has_best && cg->round == 0) {
        alpha = 1; /* prices from elsewhere: what do they prove? */
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        cg->pi[i] = (1 - alpha) * master->pi[i] + (alpha > 0 ? alpha * cg->best_pi[i] : 0);
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        cg->mu[r] = (1 - alpha) * master->mu[r] + (alpha > 0 ? alpha * cg->best_mu[r] : 0);
    }
    cg->exact = alpha == 0;
    cg->n_found = 0;
    cg->n_shaves = cg->shave_futile = 0;
    begin_pricing(cg);
}

/* The same prices again, with deeper searches where the bound is not tight yet. False when there is
 * none. */
static bool begin_deeper(struct bp_cg *cg)
{
    cg->n_kinds = 0;
    for (uint32_t k = 0; k < cg->red->n_kinds; k++) {
        if (!cg->proven[k]) {
            cg->kinds[cg->n_kinds++] = k;
        }
    }
    if (cg->n_kinds == 0 || cg->level >= cg->limits.max_level) {
        return false;
    }
    cg->level++;
    cg->kind_at = 0;
    cg->state = BP_CG_PRICE;
    return true;
}

static void take_pattern(struct bp_cg *cg, uint32_t kind, struct bp_item *items, uint32_t n)
{
    if (cg->rules == BP_RULES_PLAN && cg->red->relaxed_varieties) {
        n = bp_pattern_shrink(cg->red, kind, items, n);
        if (n == 0) {
            return;
        }
    }
    double reduced = bp_master_reduced(cg->master, kind, items, n);
    double scale = fmax(charge(cg, cg->master->mu, kind) + cg->master->sigma[kind], 1e-3);
    if (reduced > -PAYS * scale || cg->n_found == cg->found_room) {
        return;
    }
    bool is_new = false;
    uint32_t pattern = bp_pool_add(cg->master->pool, kind, items, n, &is_new);
    if (!bp_master_has(cg->master, pattern)) {
        cg->found[cg->n_found++] =
            (struct bp_found){.pattern = pattern, .reduced = reduced / fmax(scale, 0.1)};
    }
}

/* Nodes without an end must pay for themselves; those with one may be worth more. */
static void note_shave(struct bp_cg *cg, uint32_t kind, const struct bp_priced *priced)
{
    double cost = charge(cg, cg->mu, kind);
    for (uint32_t f = 0; f < priced->n_found && isinf(cg->red->stock[kind]); f++) {
        double rate = priced->value[f] > cost ? pow(cost / priced->value[f], SHAVE_RATE) : 1;
        for (uint32_t j = 0; j < priced->n_items[f]; j++) {
            uint32_t i = priced->items[f][j].class_i;
            cg->shave[i] = fmin(cg->shave[i], rate);
        }
    }
}

static void keep_top(struct bp_cg *cg, uint32_t kind, const struct bp_priced *priced)
{
    double cost = charge(cg, cg->mu, kind);
    if (priced->n_found == 0 || priced->value[0] <= cg->top_ratio * cost) {
        return;
    }
    cg->top_ratio = priced->value[0] / fmax(cost, 1e-6);
    cg->top_cost = cost;
    cg->n_top = priced->n_items[0];
    memcpy(cg->top, priced->items[0], cg->n_top * sizeof *cg->top);
}

/* Whether the bound rises from this round's prices towards the master's: then less smoothing is
 * better. The bound pi.b / theta grows along b - (bound / cost) a of the pattern a that decides
 * theta. */
static bool rises_to_master(const struct bp_cg *cg)
{
    double slope = 0, bound = 0;
    for (uint32_t i = 0; i < cg->red->n_classes; i++) {
        slope += cg->demand[i] * (cg->master->pi[i] - cg->best_pi[i]);
        bound += cg->pi[i] * cg->demand[i];
    }
    double scale = bound / fmax(cg->top_ratio * cg->top_cost, 1e-9);
    for (uint32_t j = 0; j < cg->n_top; j++) {
        uint32_t i = cg->top[j].class_i;
        slope -= scale * cg->top[j].count * (cg->master->pi[i] - cg->best_pi[i]);
    }
    return slope > 0;
}

static void do_price(struct bp_cg *cg, uint64_t *spent)
{
    uint32_t n = cg->n_kinds - cg->kind_at < BATCH ? cg->n_kinds - cg->kind_at : BATCH;
    uint32_t deep = 0, nodes = cg->exact ? cg->limits.nodes : cg->nodes;
    if (cg->level > 0) {
        /* Branching on the relaxation settles little after its first nodes; the search does. */
        deep = DEEP_STATES;
        nodes *= 4;
        for (uint32_t l = 1; l < cg->level; l++) {
            deep *= 8;
            nodes *= 2;
        }
        /* Deep searches in small portions, so that a step ends when it should. */
        uint32_t most = cg->level == 1 ? 4 : cg->level == 2 ? 2 : 1;
        n = n < most ? n : most;
    }
    struct bp_price_job job = {.value = cg->pi,
                               .upper = cg->upper,
                               .rules = cg->rules,
                               .n = n,
                               .kinds = cg->kinds + cg->kind_at,
                               .threshold = cg->threshold,
                               .nodes = nodes,
                               .deep_states = deep,
                               .rel = 1e-6};
    uint64_t ops = bp_pricer_run(cg->pricer, &job);
    for (uint32_t j = 0; j < n; j++) {
        uint32_t k = job.kinds[j];
        const struct bp_priced *priced = &cg->pricer->priced[k];
        cg->value[k] = priced->bound;
        keep_top(cg, k, priced);
        note_shave(cg, k, priced);
        cg->proven[k] = priced->proven;
        for (uint32_t f = 0; f < priced->n_found; f++) {
            take_pattern(cg, k, priced->items[f], priced->n_items[f]);
        }
    }
    cg->kind_at += n;
    *spent += ops / 1000 + 1;
    if (cg->kind_at == cg->n_kinds) {
        cg->state = BP_CG_COLLECT;
    }
}

static int compare_found(const void *a, const void *b)
{
    const struct bp_found *x = a, *y = b;
    if (x->reduced != y->reduced) {
        return x->reduced < y->reduced ? -1 : 1;
    }
    return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

/* Keeps the best prices: they steer the next round and make the certificate. */
static bool improve_bound(struct bp_cg *cg)
{
    double bound = bp_bound_estimate(cg->red, cg->pi, cg->mu, cg->value, cg->demand, NULL);
    if (cg->best_is_proven && bound <= cg->bound) {
        return false;
    }
    cg->bound = bound;
    cg->has_best = cg->best_is_proven = true;
    memcpy(cg->best_pi, cg->pi, cg->red->n_classes * sizeof(double));
    memcpy(cg->best_mu, cg->mu, cg->red->n_limits * sizeof(double));
    memcpy(cg->best_value, cg->value, cg->red->n_kinds * sizeof(double));
    return true;
}

/* Turns of shaving find patterns again. */
static void drop_twice_found(struct bp_cg *cg)
{
    uint32_t n = 0;
    for (uint32_t j = 0; j < cg->n_found; j++) {
        if (n == 0 || cg->found[j].pattern != cg->found[n - 1].pattern) {
            cg->found[n++] = cg->found[j];
        }
    }
    cg->n_found = n;
}

/* Prices again with what is too dear made cheaper. False: the master's turn. */
static bool shave(struct bp_cg *cg, bool better)
{
    if (!cg->limits.shave || cg->round > 0 ||
        cg->lp_cost - cg->bound <= SHAVE_GAP * fabs(cg->lp_cost)) {
        return false;
    }
    cg->shave_futile = better ? 0 : cg->shave_futile + 1;
    if (cg->n_shaves == SHAVE_TURNS || cg->shave_futile > SHAVE_FUTILE) {
        return false;
    }
    bool any = false;
    for (uint32_t i = 0; i < cg->red->n_classes; i++) {
        cg->pi[i] *= cg->shave[i];
        any = any || cg->shave[i] < 1 - 1e-4;
    }
    if (!any) {
        return false;
    }
    cg->n_shaves++;
    begin_pricing(cg);
    return true;
}

/* Often a few kinds whose search has not ended are all that keeps the bound down. They are searched
 * more deeply at once where that promises much: what was found of them stands for what there is. */
static bool begin_closer(struct bp_cg *cg)
{
    const struct bp_red *red = cg->red;
    if (cg->level > 0 || cg->limits.max_level == 0) {
        return false;
    }
    double theta, ratio = fmax(cg->top_ratio, 1);
    double bound = bp_bound_estimate(red, cg->pi, cg->mu, cg->value, cg->demand, &theta);
    if (bound * theta / ratio - cg->bound < CLOSER * (cg->lp_cost - cg->bound)) {
        return false;
    }
    uint32_t n = 0;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        bool above = isinf(red->stock[k]) && cg->value[k] > ratio * charge(cg, cg->mu, k);
        if (above && !cg->proven[k]) {
            cg->kinds[n++] = k;
        }
    }
    if (n == 0 || n > CLOSER_KINDS) {
        return false;
    }
    cg->n_kinds = n;
    cg->kind_at = 0;
    cg->level++;
    cg->state = BP_CG_PRICE;
    return true;
}

static void nothing_found(struct bp_cg *cg)
{
    if (!cg->exact) {
        cg->exact = true; /* the smoothed prices missed: look at the master's own */
        cg->state = BP_CG_BEGIN;
    } else if (!begin_deeper(cg)) {
        cg->converged = true;
        cg->state = BP_CG_DONE;
    }
}

static void do_collect(struct bp_cg *cg, uint64_t *spent)
{
    /* Before the best prices move. */
    bool rises = cg->n_top > 0 && rises_to_master(cg);
    bool better = improve_bound(cg);
    if (shave(cg, better)) {
        *spent += 1 + cg->red->n_classes / 100;
        return;
    }
    cg->round++;
    if (cg->lp_cost - cg->bound <= cg->limits.gap * fabs(cg->lp_cost)) {
        cg->converged = true;
        cg->state = BP_CG_DONE;
        return;
    }
    if (begin_closer(cg)) {
        return;
    }
    if (cg->n_found == 0) {
        nothing_found(cg);
        return;
    }
    if (cg->n_found < FEW + cg->red->n_classes / 8) {
        cg->nodes = cg->nodes * 3 < cg->limits.nodes ? cg->nodes * 3 : cg->limits.nodes;
    }
    qsort(cg->found, cg->n_found, sizeof *cg->found, compare_found);
    drop_twice_found(cg);
    uint32_t most = cg->red->n_classes / 2 > COLUMNS_MIN ? cg->red->n_classes / 2 : COLUMNS_MIN;
    uint32_t n = cg->n_found < most ? cg->n_found : most;
    auto_arena scratch = ARENA_INIT;
    uint32_t *patterns = ARENA_ARRAY(&scratch, uint32_t, n);
    for (uint32_t j = 0; j < n; j++) {
        patterns[j] = cg->found[j].pattern;
    }
    struct bp_master *master = cg->master;
    if (master->columns.n > PURGE_FACTOR * (size_t)master->n_rows + PURGE_MORE &&
        !bp_master_purge(master, 0.03, &cg->err)) {
        fail(cg);
        return;
    }
    if (!bp_master_add(master, n, patterns, &cg->err)) {
        fail(cg);
        return;
    }
    *spent += 5 + n;
    cg->alpha = rises ? fmax(0, cg->alpha - 0.1) : cg->alpha + 0.1 * (1 - cg->alpha);
    cg->exact = false;
    cg->state = BP_CG_MASTER;
}

bool bp_cg_step(struct bp_cg *cg, uint64_t work, uint64_t *spent)
{
    uint64_t until = *spent + work;
    while (cg->state != BP_CG_DONE && *spent < until) {
        switch (cg->state) {
        case BP_CG_MASTER:
            do_master(cg, spent);
            break;
        case BP_CG_BEGIN:
            do_begin(cg);
            break;
        case BP_CG_PRICE:
            do_price(cg, spent);
            break;
        case BP_CG_COLLECT:
            do_collect(cg, spent);
            break;
        case BP_CG_DONE:
            break;
        }
    }
    return cg->state != BP_CG_DONE;
}
