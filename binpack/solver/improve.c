/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/improve.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

enum { SIZE_MIN = 3, SIZE_MAX_NODES = 16, FAILURES_PER_SIZE = 12 };

void bp_improve_init(struct bp_improve *improve, struct arena *arena, struct bp_dive *dive,
                     uint64_t seed)
{
    *improve = (struct bp_improve){.red = dive->red, .arena = arena, .dive = dive};
    improve->rng = (struct rng){.state = seed + 1};
    bp_mix_init(&improve->plan, arena, dive->red);
    bp_mix_init(&improve->trial, arena, dive->red);
    bp_rest_init(&improve->rest, arena, dive->red);
    improve->pi = ARENA_ARRAY(arena, double, dive->red->n_classes + 1);
    improve->mu = ARENA_ARRAY(arena, double, dive->red->n_limits + 1);
}

void bp_improve_begin(struct bp_improve *improve, const struct bp_mix *plan, const double *pi,
                      const double *mu)
{
    bp_mix_copy(&improve->plan, plan, improve->arena, improve->red);
    memcpy(improve->pi, pi, improve->red->n_classes * sizeof(double));
    memcpy(improve->mu, mu, improve->red->n_limits * sizeof(double));
    improve->running = improve->has_new = improve->failed = false;
    improve->size = 4;
    improve->n_failures = 0;
}

static double loss_of(const struct bp_improve *improve, uint32_t pattern)
{
    const struct bp_red *red = improve->red;
    const struct bp_pool *pool = improve->dive->cg->master->pool;
    const struct bp_pattern *p = &pool->patterns.v[pattern];
    double loss = red->cost[p->kind];
    for (uint32_t r = 0; r < red->n_limits; r++) {
        loss += improve->mu[r] * red->limit_use[(size_t)r * red->n_kinds + p->kind];
    }
    for (uint32_t j = 0; j < p->n_items; j++) {
        const struct bp_item *item = &pool->items.v[p->at + j];
        loss -= improve->pi[item->class_i] * item->count;
    }
    return fmax(loss, 0) + 0.003 * red->cost[p->kind] + 1e-9;
}

void bp_improve_pick(struct bp_improve *improve, uint32_t n)
{
    const struct bp_mix *plan = &improve->plan;
    if (plan->n > improve->taken_room) {
        improve->taken_room = 2 * plan->n;
        improve->taken = ARENA_ARRAY(improve->arena, uint32_t, improve->taken_room);
        improve->loss = ARENA_ARRAY(improve->arena, double, improve->taken_room);
    }
    double total = 0;
    for (uint32_t e = 0; e < plan->n; e++) {
        improve->taken[e] = 0;
        improve->loss[e] = loss_of(improve, plan->entries[e].pattern);
        total += improve->loss[e] * plan->entries[e].count;
    }
    for (uint32_t t = 0; t < n && total > 0; t++) {
        double at = (double)(rng_next(&improve->rng) >> 11) * 0x1p-53 * total;
        uint32_t e = 0, last = UINT32_MAX;
        for (; e < plan->n; e++) {
            double share = improve->loss[e] * (plan->entries[e].count - improve->taken[e]);
            if (share > 0) {
                last = e;
                if (at < share) {
                    break;
                }
                at -= share;
            }
        }
        if (last == UINT32_MAX) {
            break;
        }
        e = e < plan->n ? e : last;
        improve->taken[e]++;
        total -= improve->loss[e];
    }
}

static const struct bp_dive_limits small_dive = {
    .first = {.gap = 1e-6, .rounds = 8, .nodes = 20, .max_level = 0},
    .later = {.gap = 1e-5, .rounds = 3, .nodes = 20, .max_level = 0},
    .whole = 0.95,
    .share = 0.05,
    .shuffle = true,
    .width = 3,
    .tolerance = 1e-3};

static void begin_try(struct bp_improve *improve)
{
    const struct bp_red *red = improve->red;
    const struct bp_pool *pool = improve->dive->cg->master->pool;
    bp_improve_pick(improve, improve->size);
    bp_rest_reset(&improve->rest, red);
    improve->taken_cost = 0;
    for (uint32_t e = 0; e < improve->plan.n; e++) {
        const struct bp_mix_entry *entry = &improve->plan.entries[e];
        const struct bp_pattern *p = &pool->patterns.v[entry->pattern];
        uint32_t kept = entry->count - improve->taken[e];
        improve->taken_cost += red->price[p->kind] * improve->taken[e];
        bp_rest_take(&improve->rest, red, p->kind, pool->items.v + p->at, p->n_items, kept);
    }
    /* Pods that have no place may find one in the repair. */
    improve->n_tries++;
    improve->running = true;
    bp_dive_begin(improve->dive, &improve->rest, &small_dive, rng_next(&improve->rng));
}

static void end_try(struct bp_improve *improve)
{
    const struct bp_red *red = improve->red;
    struct bp_pool *pool = improve->dive->cg->master->pool;
    improve->running = false;
    bp_mix_clear(&improve->trial);
    for (uint32_t e = 0; e < improve->plan.n; e++) {
        const struct bp_mix_entry *entry = &improve->plan.entries[e];
        if (entry->count > improve->taken[e]) {
            bp_mix_add(&improve->trial, improve->arena, entry->pattern,
                       entry->count - improve->taken[e]);
        }
    }
    const struct bp_mix *repair = &improve->dive->mix;
    for (uint32_t e = 0; e < repair->n; e++) {
        bp_mix_add(&improve->trial, improve->arena, repair->entries[e].pattern,
                   repair->entries[e].count);
    }
    bp_mix_close(&improve->trial, pool);
    if (bp_rest_units(&improve->dive->rest, red) > 0) {
        bp_mix_top_up(&improve->trial, &improve->dive->rest, pool, improve->arena);
        bp_mix_close(&improve->trial, pool);
    }
    if (bp_mix_compare(&improve->trial, &improve->plan, red) < 0) {
        bp_mix_copy(&improve->plan, &improve->trial, improve->arena, red);
        improve->has_new = true;
        improve->n_failures = 0;
    } else if (++improve->n_failures >= FAILURES_PER_SIZE) {
        improve->n_failures = 0;
        improve->size = improve->size >= SIZE_MAX_NODES ? SIZE_MIN : improve->size + 1;
    }
}

bool bp_improve_step(struct bp_improve *improve, uint64_t work, uint64_t *spent)
{
    uint64_t until = *spent + work;
    while (*spent < until) {
        if (!improve->running) {
            if (improve->plan.n == 0) {
                return false;
            }
            begin_try(improve);
            *spent += 2 + improve->plan.n / 50;
        }
        if (!bp_dive_step(improve->dive, until - *spent, spent)) {
            if (improve->dive->failed) {
                improve->failed = true;
                return false;
            }
            end_try(improve);
            if (improve->has_new) {
                return true;
            }
        }
    }
    return true;
}

bool bp_improve_has_new(struct bp_improve *improve)
{
    bool is_new = improve->has_new;
    improve->has_new = false;
    return is_new;
}

const struct bp_mix *bp_improve_plan(const struct bp_improve *improve)
{
    return &improve->plan;
}
