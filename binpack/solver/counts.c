/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/counts.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "binpack/solver/ffd.h"

enum {
    TURNS_MAX = 30,
    IDLE_MAX = 6, /* turns without a better plan */
    MIP_NODES = 100,
    FILLS_MAX = 4,
    HOLD_WORK = 2000, /* between two looks */
    SUNK = 64         /* a node of y costs this part of its price */
};

#define ENOUGH     2e-4
#define SLACK_STEP 3e-4
#define SLACK_MAX  2e-2

void bp_counts_init(struct bp_counts *c, struct arena *arena, struct bp_pool *pool,
                    struct bp_pricer *pricer)
{
    const struct bp_red *red = pool->red;
    *c = (struct bp_counts){.part = *red, .held = *red, .arena = arena, .pricer = pricer};
    c->red = &c->part;
    c->part.demand = c->held.demand = ARENA_ARRAY(arena, double, red->n_classes + 1);
    c->part.stock = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    c->part.limit_max = ARENA_ARRAY(arena, double, red->n_limits + 1);
    c->state = BP_COUNTS_DONE;
    c->pi = ARENA_ARRAY(arena, double, red->n_classes + 1);
    c->y = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    c->skip = ARENA_ARRAY(arena, bool, red->n_kinds + 1);
    c->held.cost = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    c->held.stock = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    c->held.n_limits = 0; /* the choice obeys them */
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        c->held.cost[k] = red->cost[k] / SUNK;
    }
    c->value = ARENA_ARRAY(arena, double, red->n_classes + 1);
    bp_mix_init(&c->plan, arena, red);
    bp_rest_init(&c->rest, arena, red);
    bp_master_init(&c->master, arena, &c->held, pool, c->pi);
    bp_cg_init(&c->cg, arena, &c->master, pricer, BP_RULES_PLAN);
    c->cg.skip = c->skip;
    bp_dive_init(&c->dive, arena, &c->cg);
}

/* A cut's place; its oldest successor among those that may go makes room. */
static uint32_t new_cut(struct bp_counts *c, double need)
{
    uint32_t at = c->n_cuts;
    if (at == BP_COUNTS_CUTS) {
        at = c->n_lasting;
        double *value = c->cut_value[at], *pi = c->cut_pi[at];
        for (uint32_t q = at; q + 1 < BP_COUNTS_CUTS; q++) {
            c->cut_value[q] = c->cut_value[q + 1];
            c->cut_pi[q] = c->cut_pi[q + 1];
            c->cut_need[q] = c->cut_need[q + 1];
        }
        at = BP_COUNTS_CUTS - 1;
        c->cut_value[at] = value;
        c->cut_pi[at] = pi;
    } else {
        c->n_cuts++;
    }
    if (c->cut_value[at] == NULL) {
        c->cut_value[at] = ARENA_ARRAY(c->arena, double, c->red->n_kinds + 1);
        c->cut_pi[at] = ARENA_ARRAY(c->arena, double, c->red->n_classes + 1);
    }
    c->cut_need[at] = need;
    return at;
}

/* The sizes: nodes hold in each dimension what is asked for. */
static void add_size_cuts(struct bp_counts *c)
{
    const struct bp_red *red = c->red;
    for (uint32_t d = 0; d < red->n_dims && d < BP_COUNTS_CUTS / 3; d++) {
        double need = 0;
        for (uint32_t i = 0; i < red->n_classes; i++) {
            need += red->size_of[(size_t)i * red->n_dims + d] * red->demand[i];
        }
        uint32_t at = new_cut(c, need);
        for (uint32_t i = 0; i < red->n_classes; i++) {
            c->cut_pi[at][i] = red->size_of[(size_t)i * red->n_dims + d];
        }
        for (uint32_t k = 0; k < red->n_kinds; k++) {
            c->cut_value[at][k] = red->cap[(size_t)k * red->n_dims + d];
        }
    }
}

static double worth(const struct bp_counts *c, const double *pi)
{
    double sum = 0;
    for (uint32_t i = 0; i < c->red->n_classes; i++) {
        sum += pi[i] * c->red->demand[i];
    }
    return sum;
}

void bp_counts_begin(struct bp_counts *c, const struct bp_rest *rest, const double *pi,
                     const double *value, double bound, double cost)
{
    const struct bp_red *all = c->master.pool->red;
    memcpy(c->part.demand, rest != NULL ? rest->demand : all->demand,
           all->n_classes * sizeof(double));
    memcpy(c->part.stock, rest != NULL ? rest->stock : all->stock, all->n_kinds * sizeof(double));
    memcpy(c->part.limit_max, rest != NULL ? rest->limit : all->limit_max,
           all->n_limits * sizeof(double));
    memcpy(c->pi, pi, c->red->n_classes * sizeof(double));
    c->n_cuts = 0;
    add_size_cuts(c);
    uint32_t lp = new_cut(c, worth(c, pi));
    memcpy(c->cut_pi[lp], pi, c->red->n_classes * sizeof(double));
    memcpy(c->cut_value[lp], value, c->red->n_kinds * sizeof(double));
    c->n_lasting = c->n_cuts;
    c->bound = bound;
    c->cost = cost;
    c->slack = 0;
    c->n_turns = 0;
    c->n_idle = 0;
    memset(c->y, 0, c->red->n_kinds * sizeof(double));
    c->failed = false;
    c->state = BP_COUNTS_CHOOSE;
}

void bp_counts_set_cost(struct bp_counts *c, double cost)
{
    c->n_idle = 0;
    c->cost = cost;
}

/* ---- the choice ---- */

/* Kinds whose nodes no plan cheaper than the best can have: the LP's prices say so. */
static uint32_t list_kinds(const struct bp_counts *c, uint32_t *kinds)
{
    const struct bp_red *red = c->red;
    const double *value = c->cut_value[c->n_lasting - 1];
    double theta = c->cut_need[c->n_lasting - 1] / fmax(c->bound, 1e-9);
    uint32_t n = 0;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (!isinf(red->stock[k]) || c->bound + red->cost[k] - value[k] / theta < c->cost) {
            kinds[n++] = k;
        }
    }
    return n;
}

static bool add_kind_columns(struct bp_counts *c, struct bp_glp *glp, struct arena *scratch,
                             uint32_t n, const uint32_t *kinds)
{
    const struct bp_red *red = c->red;
    uint32_t n_rows = c->n_cuts + red->n_limits, at = 0;
    double *cost = ARENA_ARRAY(scratch, double, n + 1);
    double *upper = ARENA_ARRAY(scratch, double, n + 1);
    uint32_t *start = ARENA_ARRAY(scratch, uint32_t, n + 1);
    uint32_t *row = ARENA_ARRAY(scratch, uint32_t, (size_t)n * n_rows + 1);
    double *value = ARENA_ARRAY(scratch, double, (size_t)n *n_rows + 1);
    for (uint32_t j = 0; j < n; j++) {
        uint32_t k = kinds[j];
        cost[j] = red->cost[k];
        upper[j] = red->stock[k];
        start[j] = at;
        for (uint32_t q = 0; q < c->n_cuts; q++) {
            if (c->cut_value[q][k] > 0 && c->cut_need[q] > 0) {
                row[at] = q;
                /* More than all of it helps no more than all of it. */
                value[at++] = fmin(1, c->cut_value[q][k] / c->cut_need[q]);
            }
        }
        for (uint32_t r = 0; r < red->n_limits; r++) {
            double use = red->limit_use[(size_t)r * red->n_kinds + k];
            if (use > 0) {
                row[at] = c->n_cuts + r;
                value[at++] = use / fmax(1, red->limit_max[r]);
            }
        }
    }
    start[n] = at;
    struct bp_glp_columns columns = {
        .n = n, .cost = cost, .upper = upper, .start = start, .row = row, .value = value};
    return bp_glp_add_columns(glp, &columns, &c->err);
}

static bool add_rows(struct bp_counts *c, struct bp_glp *glp)
{
    for (uint32_t q = 0; q < c->n_cuts; q++) {
        double need = c->cut_need[q] > 0 ? 1 + c->slack : 0;
        if (!bp_glp_add_rows(glp, 1, BP_ROW_AT_LEAST, &need, &c->err)) {
            return false;
        }
    }
    for (uint32_t r = 0; r < c->red->n_limits; r++) {
        double most = c->red->limit_max[r] / fmax(1, c->red->limit_max[r]);
        if (!bp_glp_add_rows(glp, 1, BP_ROW_AT_MOST, &most, &c->err)) {
            return false;
        }
    }
    return true;
}

static void set_nodes(struct bp_counts *c, const double *y)
{
    const struct bp_red *red = c->red;
    c->again = memcmp(y, c->y, red->n_kinds * sizeof(double)) == 0;
    memcpy(c->y, y, red->n_kinds * sizeof(double));
    c->y_cost = 0;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        c->skip[k] = c->y[k] == 0;
        c->y_cost += c->y[k] * red->cost[k];
    }
}

/* Finds y; false when there is none that is cheaper than the best plan. */
static bool choose(struct bp_counts *c, uint64_t *spent)
{
    auto_arena scratch = ARENA_INIT;
    const struct bp_red *red = c->red;
    uint32_t *kinds = ARENA_ARRAY(&scratch, uint32_t, red->n_kinds + 1);
    uint32_t n = list_kinds(c, kinds);
    struct bp_glp *glp = NULL;
    struct bp_glp_mip mip = {.nodes = MIP_NODES, .cut_off = c->cost * (1 - 1e-7), .rel_gap = 1e-5};
    double *x = ARENA_ARRAY(&scratch, double, n + 1);
    bool ok = n > 0 && bp_glp_new(&scratch, &glp, &c->err) && add_rows(c, glp) &&
              add_kind_columns(c, glp, &scratch, n, kinds) && bp_glp_integer(glp, &mip, x, &c->err);
    bp_glp_free(glp);
    *spent += 20 + mip.pivots * (6 + (c->n_cuts + n) / 6);
    if (!ok) {
        c->failed = n > 0;
        return false;
    }
    if (!mip.found || mip.cost >= c->cost) {
        return false;
    }
    double *y = ARENA_ARRAY(&scratch, double, red->n_kinds + 1);
    for (uint32_t j = 0; j < n; j++) {
        y[kinds[j]] = x[j];
    }
    set_nodes(c, y);
    return true;
}

/* ---- what it lacks ---- */

static const struct bp_cg_limits hold_limits = {
    .gap = 5e-4, .certify = true, .rounds = 200, .nodes = 40, .max_level = 2};

static void begin_hold(struct bp_counts *c)
{
    memcpy(c->rest.demand, c->red->demand, c->red->n_classes * sizeof(double));
    for (uint32_t k = 0; k < c->red->n_kinds; k++) {
        c->rest.stock[k] = c->y[k];
        c->held.stock[k] = c->y[k];
    }
    bp_cg_set_prices(&c->cg, c->pi, NULL);
    bp_cg_begin(&c->cg, c->rest.demand, c->rest.stock, NULL, &hold_limits, /* keep_prices= */ true);
    c->state = BP_COUNTS_HOLD;
}

/* What nodes of the kinds outside y would hold at the prices of the cut. */
static void price_others(struct bp_counts *c, double *value, uint64_t *spent)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t n = 0, n_kinds = c->red->n_kinds;
    uint32_t *kinds = ARENA_ARRAY(&scratch, uint32_t, n_kinds + 1);
    double *threshold = ARENA_ARRAY(&scratch, double, n_kinds + 1);
    for (uint32_t k = 0; k < n_kinds; k++) {
        if (c->skip[k]) {
            kinds[n++] = k;
        }
    }
    struct bp_price_job job = {.value = c->cg.best_pi,
                               .upper = c->red->demand,
                               .rules = BP_RULES_PLAN,
                               .n = n,
                               .kinds = kinds,
                               .threshold = threshold,
                               .nodes = 4,
                               .rel = 1e-6};
    *spent += bp_pricer_run(c->pricer, &job) / 1000 + 1;
    for (uint32_t j = 0; j < n; j++) {
        value[kinds[j]] = c->pricer->priced[kinds[j]].bound;
    }
}

/* The prices of what is left out, as a cut. False when they do not rule y out. */
static bool add_cut(struct bp_counts *c, uint64_t *spent)
{
    if (!c->cg.best_is_proven) {
        return false;
    }
    double need = worth(c, c->cg.best_pi), held = 0;
    for (uint32_t k = 0; k < c->red->n_kinds; k++) {
        held += c->cg.best_value[k] * c->y[k];
    }
    if (held >= need * (1 - 1e-7)) {
        return false;
    }
    uint32_t at = new_cut(c, need);
    memcpy(c->cut_pi[at], c->cg.best_pi, c->red->n_classes * sizeof(double));
    memcpy(c->cut_value[at], c->cg.best_value, c->red->n_kinds * sizeof(double));
    price_others(c, c->cut_value[at], spent);
    return true;
}

/* Whether it is known already: nothing is left out, or enough is for certain. */
static bool is_decided(const struct bp_counts *c)
{
    if (c->cg.lp_cost < INFINITY && c->cg.left_out < 1e-6) {
        return true;
    }
    return c->cg.best_is_proven && c->cg.bound > (c->y_cost / SUNK + ENOUGH * c->y_cost);
}

static const struct bp_dive_limits quick_fill = {
    .first = {.gap = 1e-5, .rounds = 1, .nodes = 20, .max_level = 0},
    .later = {.gap = 1e-5, .rounds = 2, .nodes = 20, .max_level = 0},
    .whole = 0.8,
    .share = 0.15,
    .width = 1,
    .tolerance = 1e-5};

static const struct bp_dive_limits careful_fill = {
    .first = {.gap = 1e-5, .rounds = 4, .nodes = 20, .max_level = 0},
    .later = {.gap = 1e-5, .rounds = 8, .nodes = 20, .max_level = 0},
    .whole = 0.8,
    .share = 0.1,
    .width = 3,
    .tolerance = 1e-5};

static void end_hold(struct bp_counts *c, uint64_t *spent)
{
    double lacks = 0;
    for (uint32_t i = 0; i < c->red->n_classes; i++) {
        lacks += c->master.left_out[i] * c->pi[i];
    }
    bool cut = add_cut(c, spent);
    if (cut && c->y_cost + lacks >= c->cost) {
        c->state = BP_COUNTS_CHOOSE;
        return;
    }
    if (!cut && c->again) {
        c->slack += SLACK_STEP; /* for the next choice */
    }
    bp_counts_pack_begin(c);
}

void bp_counts_pack_begin(struct bp_counts *c)
{
    for (uint32_t i = 0; i < c->red->n_classes; i++) {
        c->value[i] = c->pi[i] + 1e-6;
    }
    c->n_fills = 0;
    c->state = BP_COUNTS_GREEDY;
}

void bp_counts_hold_begin(struct bp_counts *c, const double *y)
{
    set_nodes(c, y);
    begin_hold(c);
}

bool bp_counts_hold_step(struct bp_counts *c, uint64_t work, uint64_t *spent, bool *ret_cut)
{
    *ret_cut = false;
    uint64_t until = *spent + work;
    while (bp_cg_step(&c->cg, HOLD_WORK, spent) && !is_decided(c)) {
        if (*spent >= until) {
            return true;
        }
    }
    if (c->cg.failed) {
        c->failed = true;
        c->err = c->cg.err;
        return false;
    }
    *ret_cut = add_cut(c, spent);
    return false;
}

/* ---- packing ---- */

/* One greedy packing of the nodes of y. */
static void fill_greedily(struct bp_counts *c, uint64_t *spent)
{
    const struct bp_red *red = c->red;
    auto_arena scratch = ARENA_INIT;
    struct bp_rest rest;
    bp_rest_init(&rest, &scratch, red);
    memcpy(rest.stock, c->y, red->n_kinds * sizeof(double));
    bp_mix_clear(&c->plan);
    *spent +=
        bp_ffd_fill(c->pricer, c->master.pool, c->arena, c->value, &rest, &c->plan) / 1000 + 1;
    c->whole = true;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        if (rest.demand[i] > 0) {
            c->whole = false;
            /* Worth more the next time. */
            c->value[i] *= 1 + 0.1 * fmin(1, rest.demand[i] / 4 + 0.25);
        }
    }
}

bool bp_counts_step(struct bp_counts *c, uint64_t work, uint64_t *spent, bool *ret_plan)
{
    uint64_t until = *spent + work;
    *ret_plan = false;
    while (c->state != BP_COUNTS_DONE && *spent < until) {
        switch (c->state) {
        case BP_COUNTS_CHOOSE:
            if (c->n_turns++ >= TURNS_MAX || c->n_idle++ >= IDLE_MAX || c->slack > SLACK_MAX ||
                !choose(c, spent)) {
                c->state = BP_COUNTS_DONE;
            } else {
                begin_hold(c);
            }
            break;
        case BP_COUNTS_HOLD:
            /* Looks at it after the same work, however long a step is. */
            if (bp_cg_step(&c->cg, HOLD_WORK, spent) && !is_decided(c)) {
                break;
            }
            if (c->cg.failed) {
                c->failed = true;
                c->err = c->cg.err;
                c->state = BP_COUNTS_DONE;
                break;
            }
            end_hold(c, spent);
            break;
        case BP_COUNTS_GREEDY:
            fill_greedily(c, spent);
            *ret_plan = true;
            if (c->whole) {
                c->state = BP_COUNTS_CHOOSE;
            } else if (++c->n_fills >= FILLS_MAX) {
                bp_dive_begin(&c->dive, &c->rest, c->again ? &careful_fill : &quick_fill, 0);
                c->state = BP_COUNTS_FILL;
            }
            return true;
        case BP_COUNTS_FILL:
            if (bp_dive_step(&c->dive, until - *spent, spent)) {
                break;
            }
            c->state = c->dive.failed ? BP_COUNTS_DONE : BP_COUNTS_CHOOSE;
            *ret_plan = !c->dive.failed;
            bp_mix_copy(&c->plan, &c->dive.mix, c->arena, c->red);
            return c->state != BP_COUNTS_DONE;
        case BP_COUNTS_DONE:
            break;
        }
    }
    return c->state != BP_COUNTS_DONE;
}

void bp_counts_done(struct bp_counts *c)
{
    bp_master_done(&c->master);
}
