/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/round.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { CUT_SHARE = 8 }; /* one in so many nodes of a column that has to be cut is fixed at a time */

void bp_dive_init(struct bp_dive *dive, struct arena *arena, struct bp_cg *cg)
{
    *dive = (struct bp_dive){.red = cg->red, .cg = cg, .arena = arena, .state = BP_DIVE_DONE};
    bp_rest_init(&dive->rest, arena, cg->red);
    bp_rest_init(&dive->saved, arena, cg->red);
    bp_mix_init(&dive->mix, arena, cg->red);
}

void bp_dive_begin(struct bp_dive *dive, const struct bp_rest *rest,
                   const struct bp_dive_limits *limits, uint64_t seed)
{
    bp_rest_copy(&dive->rest, rest, dive->red);
    bp_mix_clear(&dive->mix);
    dive->limits = *limits;
    dive->rng = (struct rng){.state = seed};
    dive->failed = false;
    dive->depth = 0;
    dive->fixed = 0;
    dive->state = BP_DIVE_SOLVE;
    bp_cg_begin(dive->cg, dive->rest.demand, dive->rest.stock, dive->rest.limit,
                &dive->limits.first, true);
}

struct choice {
    uint32_t pattern;
    double part;
};

static int compare_choices(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;
    if (x->part != y->part) {
        return x->part > y->part ? -1 : 1;
    }
    return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

/* Places up to `count` nodes of a pattern, cut to what is left. */
static uint32_t place(struct bp_dive *dive, struct arena *scratch, uint32_t pattern, uint32_t count)
{
    struct bp_pool *pool = dive->cg->master->pool;
    struct bp_pattern p = pool->patterns.v[pattern];
    struct bp_item *items = ARENA_ARRAY(scratch, struct bp_item, p.n_items + 1);
    uint32_t n = 0;
    double copies = count;
    for (uint32_t j = 0; j < p.n_items; j++) {
        struct bp_item item = pool->items.v[p.at + j];
        double left = dive->rest.demand[item.class_i];
        if (left >= 1) {
            item.count = (uint32_t)fmin(item.count, left);
            items[n++] = item;
            copies = fmin(copies, floor(left / item.count));
        }
    }
    if (n == 0) {
        return 0;
    }
    copies = fmin(copies, bp_rest_room(&dive->rest, dive->red, p.kind));
    uint32_t first = dive->mix.n;
    uint32_t placed = bp_mix_place(&dive->mix, &dive->rest, pool, dive->arena, p.kind, items, n,
                                   (uint32_t)copies);
    for (uint32_t e = first; e < dive->mix.n; e++) {
        const struct bp_mix_entry *entry = &dive->mix.entries[e];
        dive->fixed += dive->red->cost[pool->patterns.v[entry->pattern].kind] * entry->count;
    }
    return placed;
}

/* Whether a pattern fits into what is left without being cut. */
static bool is_uncut(const struct bp_dive *dive, uint32_t pattern)
{
    const struct bp_pool *pool = dive->cg->master->pool;
    const struct bp_pattern *p = &pool->patterns.v[pattern];
    for (uint32_t j = 0; j < p->n_items; j++) {
        const struct bp_item *item = &pool->items.v[p->at + j];
        if (item->count > dive->rest.demand[item->class_i]) {
            return false;
        }
    }
    return true;
}

static uint32_t fix_whole(struct bp_dive *dive, struct arena *scratch, struct choice *choices,
                          uint32_t n)
{
    uint32_t placed = 0;
    for (uint32_t j = 0; j < n; j++) {
        uint32_t whole = (uint32_t)floor(choices[j].part + 1e-6);
        if (whole > 0 && is_uncut(dive, choices[j].pattern)) {
            placed += place(dive, scratch, choices[j].pattern, whole);
        }
    }
    return placed;
}

/* Columns of the LP solution, most whole first. */
static struct choice *list_choices(struct bp_dive *dive, struct arena *scratch, uint32_t *ret_n)
{
    const struct bp_master *master = dive->cg->master;
    uint32_t n = 0, n_columns = (uint32_t)master->columns.n;
    struct choice *choices = ARENA_ARRAY(scratch, struct choice, n_columns + 1);
    for (uint32_t c = 0; c < n_columns; c++) {
        if (master->x[c] > 1e-6) {
            choices[n++] = (struct choice){.pattern = master->columns.v[c], .part = master->x[c]};
        }
    }
    if (n > 0) {
        qsort(choices, n, sizeof *choices, compare_choices);
    }
    *ret_n = n;
    return choices;
}

static void solve_rest(struct bp_dive *dive, enum bp_dive_state state)
{
    dive->depth++;
    dive->state = state;
    bp_cg_begin(dive->cg, dive->rest.demand, dive->rest.stock, dive->rest.limit,
                &dive->limits.later, true);
}

static void save(struct bp_dive *dive)
{
    bp_rest_copy(&dive->saved, &dive->rest, dive->red);
    dive->saved_n = dive->mix.n;
    dive->saved_fixed = dive->fixed;
    dive->saved_sum = dive->fixed + dive->cg->lp_cost;
}

static void restore(struct bp_dive *dive)
{
    bp_rest_copy(&dive->rest, &dive->saved, dive->red);
    dive->mix.n = dive->saved_n;
    dive->fixed = dive->saved_fixed;
}

/* Lists what to try: the most whole columns, the first few shuffled when asked. */
static void list_tries(struct bp_dive *dive, struct choice *choices, uint32_t n)
{
    if (dive->limits.shuffle && n > 1) {
        uint32_t near = 1;
        while (near < n && near < 4 && choices[near].part > 0.6 * choices[0].part) {
            near++;
        }
        uint32_t pick = rng_below(&dive->rng, near);
        struct choice chosen = choices[pick];
        choices[pick] = choices[0];
        choices[0] = chosen;
    }
    dive->n_tries = n < dive->limits.width ? n : dive->limits.width;
    dive->n_tries = dive->n_tries > 0 ? dive->n_tries : n > 0;
    for (uint32_t t = 0; t < dive->n_tries; t++) {
        dive->tries[t] = choices[t].pattern;
        dive->copies[t] = (uint32_t)fmax(1, choices[t].part / CUT_SHARE);
        dive->sums[t] = INFINITY;
    }
    dive->try_i = 0;
    dive->last = false;
}

static void begin_try(struct bp_dive *dive)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t placed = place(dive, &scratch, dive->tries[dive->try_i], dive->copies[dive->try_i]);
    if (placed == 0 || bp_rest_units(&dive->rest, dive->red) == 0) {
        dive->state = BP_DIVE_DONE;
        return;
    }
    solve_rest(dive, BP_DIVE_TRY);
}

/* Several columns at once when that is safe: all that are nearly whole, and a share of many. */
static uint32_t fix_batch(struct bp_dive *dive, struct arena *scratch, struct choice *choices,
                          uint32_t n)
{
    uint32_t placed = 0, least = (uint32_t)(n * dive->limits.share);
    for (uint32_t j = 0; j < n; j++) {
        bool more =
            choices[j].part >= dive->limits.whole || (placed < least && choices[j].part > 0.5);
        if (more && is_uncut(dive, choices[j].pattern)) {
            placed += place(dive, scratch, choices[j].pattern, 1);
        }
    }
    return placed;
}

static void fix(struct bp_dive *dive, uint64_t *spent)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t n = 0;
    struct choice *choices = list_choices(dive, &scratch, &n);
    *spent += 5 + dive->cg->master->columns.n / 100;
    if (dive->depth == 0) {
        dive->root = dive->cg->lp_cost;
    }
    uint32_t placed = fix_whole(dive, &scratch, choices, n);
    if (placed > 0) {
        if (bp_rest_units(&dive->rest, dive->red) == 0) {
            dive->state = BP_DIVE_DONE;
        } else {
            solve_rest(dive, BP_DIVE_SOLVE);
        }
        return;
    }
    if (n == 0) {
        dive->state = BP_DIVE_DONE;
        return;
    }
    save(dive);
    list_tries(dive, choices, n);
    dive->batch = fix_batch(dive, &scratch, choices, n) > 1;
    if (dive->batch && bp_rest_units(&dive->rest, dive->red) > 0) {
        solve_rest(dive, BP_DIVE_TRY);
        return;
    }
    restore(dive);
    dive->batch = false;
    begin_try(dive);
}

/* A fixing has been solved: keep it, or try the next. */
static void judge(struct bp_dive *dive)
{
    double sum = dive->fixed + dive->cg->lp_cost;
    bool good = sum <= dive->saved_sum + dive->limits.tolerance * dive->root;
    if (good || dive->last || (!dive->batch && dive->n_tries <= 1)) {
        dive->state = BP_DIVE_FIX;
        return;
    }
    restore(dive);
    if (dive->batch) {
        dive->batch = false;
        begin_try(dive);
        return;
    }
    dive->sums[dive->try_i++] = sum;
    if (dive->try_i == dive->n_tries) {
        dive->try_i = 0;
        for (uint32_t t = 1; t < dive->n_tries; t++) {
            dive->try_i = dive->sums[t] < dive->sums[dive->try_i] ? t : dive->try_i;
        }
        dive->last = true;
    }
    begin_try(dive);
}

bool bp_dive_step(struct bp_dive *dive, uint64_t work, uint64_t *spent)
{
    uint64_t until = *spent + work;
    while (dive->state != BP_DIVE_DONE && *spent < until) {
        if (dive->state == BP_DIVE_FIX) {
            fix(dive, spent);
            continue;
        }
        if (bp_cg_step(dive->cg, until - *spent, spent)) {
            continue;
        }
        if (dive->cg->failed) {
            dive->failed = true;
            dive->state = BP_DIVE_DONE;
        } else if (dive->state == BP_DIVE_TRY) {
            judge(dive);
        } else {
            dive->state = BP_DIVE_FIX;
        }
    }
    return dive->state != BP_DIVE_DONE;
}
