/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/round.h"

#include <math.h>
#ifdef BP_TRACE
#include <stdio.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void bp_dive_init(struct bp_dive *dive, struct arena *arena, struct bp_cg *cg)
{
    *dive = (struct bp_dive){.red = cg->red, .cg = cg, .arena = arena, .state = BP_DIVE_DONE};
    bp_rest_init(&dive->rest, arena, cg->red);
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
    return bp_mix_place(&dive->mix, &dive->rest, pool, dive->arena, p.kind, items, n,
                        (uint32_t)copies);
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

static uint32_t fix_parts(struct bp_dive *dive, struct arena *scratch, struct choice *choices,
                          uint32_t n)
{
    uint32_t placed = 0;
    if (dive->limits.shuffle && n > 1) {
        /* One of the best few comes first. */
        uint32_t near = 1;
        while (near < n && near < 4 && choices[near].part > 0.6 * choices[0].part) {
            near++;
        }
        uint32_t pick = rng_below(&dive->rng, near);
        struct choice chosen = choices[pick];
        choices[pick] = choices[0];
        choices[0] = chosen;
    }
    for (uint32_t j = 0; j < n; j++) {
        bool more = choices[j].part >= dive->limits.whole && is_uncut(dive, choices[j].pattern);
        if (placed == 0 || more) {
            placed += place(dive, scratch, choices[j].pattern, 1);
        }
    }
    return placed;
}

static void fix(struct bp_dive *dive, uint64_t *spent)
{
    const struct bp_master *master = dive->cg->master;
    auto_arena scratch = ARENA_INIT;
    uint32_t n = 0, n_columns = (uint32_t)master->columns.n;
    struct choice *choices = ARENA_ARRAY(&scratch, struct choice, n_columns + 1);
    for (uint32_t c = 0; c < n_columns; c++) {
        if (master->x[c] > 1e-6) {
            choices[n++] = (struct choice){.pattern = master->columns.v[c], .part = master->x[c]};
        }
    }
    if (n > 0) {
        qsort(choices, n, sizeof *choices, compare_choices);
    }
    *spent += 5 + n_columns / 100;
#ifdef BP_TRACE
    bp_mix_close(&dive->mix, master->pool);
    fprintf(stderr,
            "dive depth %u fixed %.4f lp %.4f sum %.4f priced %lu n %u top %.3f %.3f units %.0f "
            "rounds %u left %.2f\n",
            dive->depth, (double)dive->mix.cost / dive->red->unit, dive->cg->lp_cost,
            (double)dive->mix.cost / dive->red->unit + dive->cg->lp_cost, dive->mix.n_priced, n,
            n > 0 ? choices[0].part : 0, n > 1 ? choices[1].part : 0,
            bp_rest_units(&dive->rest, dive->red), dive->cg->round, dive->cg->left_out);
#endif
    uint32_t placed = fix_whole(dive, &scratch, choices, n);
    if (placed == 0) {
        placed = fix_parts(dive, &scratch, choices, n);
    }
    if (placed == 0 || bp_rest_units(&dive->rest, dive->red) == 0) {
        dive->state = BP_DIVE_DONE;
        return;
    }
    dive->depth++;
    bp_cg_begin(dive->cg, dive->rest.demand, dive->rest.stock, dive->rest.limit,
                &dive->limits.later, true);
    dive->state = BP_DIVE_SOLVE;
}

bool bp_dive_step(struct bp_dive *dive, uint64_t work, uint64_t *spent)
{
    uint64_t until = *spent + work;
    while (dive->state != BP_DIVE_DONE && *spent < until) {
        if (dive->state == BP_DIVE_FIX) {
            fix(dive, spent);
            continue;
        }
        if (!bp_cg_step(dive->cg, until - *spent, spent)) {
            dive->failed = dive->cg->failed;
            dive->state = dive->failed ? BP_DIVE_DONE : BP_DIVE_FIX;
        }
    }
    return dive->state != BP_DIVE_DONE;
}
