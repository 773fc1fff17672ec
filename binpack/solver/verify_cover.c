/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_cover.h"

#include "base/arena.h"

#include <stdlib.h>

typedef __int128 wide_t;

struct kind {
    usd_t price;
    wide_t worth;
};

struct cover {
    const struct kind *kinds; /* most worth for the price first */
    uint32_t n_kinds, n_steps;
    usd_t best;
    bool gave_up;
};

static wide_t divide_up(wide_t a, wide_t b)
{
    return (a + b - 1) / b;
}

static void search(struct cover *c, uint32_t at, wide_t need, usd_t cost)
{
    if (need <= 0) {
        c->best = cost < c->best ? cost : c->best;
        return;
    }
    if (at == c->n_kinds || c->n_steps++ >= BP_COVER_STEPS) {
        c->gave_up = c->gave_up || at < c->n_kinds;
        return;
    }
    const struct kind *kind = &c->kinds[at];
    if (cost + divide_up(need * kind->price, kind->worth) >= c->best) {
        return; /* None of those that follow is cheaper for what it is worth. */
    }
    for (wide_t n = divide_up(need, kind->worth); n >= 0 && !c->gave_up; n--) {
        search(c, at + 1, need - n * kind->worth, cost + (usd_t)n * kind->price);
    }
}

static int by_price(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    return (x->worth < y->worth) - (x->worth > y->worth);
}

static int by_ratio(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;
    const wide_t left = x->worth * y->price, right = y->worth * x->price;
    if (left != right) {
        return left > right ? -1 : 1;
    }
    return (x->price > y->price) - (x->price < y->price);
}

/* Leaves kinds that are worth more than every cheaper one, by ratio. */
static uint32_t keep_useful(struct kind *kinds, uint32_t n)
{
    uint32_t kept = 0;
    if (n > 0) {
        qsort(kinds, n, sizeof *kinds, by_price);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (kept == 0 || kinds[i].worth > kinds[kept - 1].worth) {
            kinds[kept++] = kinds[i];
        }
    }
    if (kept > 0) {
        qsort(kinds, kept, sizeof *kinds, by_ratio);
    }
    return kept;
}

static wide_t worth_of(const struct bp_problem *p, const struct bp_certificate *cert, uint32_t k)
{
    wide_t worth = cert->best_value[k];
    for (uint32_t r = 0; r < p->n_limits; r++) {
        worth -= (wide_t)cert->limit_dual[r] * p->limits[r].use[k];
    }
    return worth;
}

usd_t bp_cover_bound(const struct bp_problem *p, const struct bp_certificate *cert,
                     const uint32_t *placed, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct kind *kinds = ARENA_ARRAY(scratch, struct kind, p->n_offerings);
    wide_t need = 0, most = 0;
    uint32_t n = 0;
    bool free = false;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        need += (wide_t)cert->dual[i] * placed[i];
    }
    for (uint32_t r = 0; r < p->n_limits; r++) {
        need -= (wide_t)cert->limit_dual[r] * p->limits[r].max;
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        const wide_t worth = worth_of(p, cert, k);
        if (worth <= 0) {
            continue;
        }
        if (p->offerings[k].stock != BP_UNLIMITED) {
            need -= worth * p->offerings[k].stock;
        } else if (p->offerings[k].price <= 0) {
            free = true;
        } else {
            kinds[n++] = (struct kind){.price = p->offerings[k].price, .worth = worth};
            most = worth > most ? worth : most;
        }
    }
    struct cover cover = {.kinds = kinds, .best = INT64_MAX};
    if (!free && n > 0 && need > 0 && need / BP_COVER_NODES < most) {
        cover.n_kinds = keep_useful(kinds, n);
        search(&cover, 0, need, 0);
    }
    arena_rewind(scratch, mark);
    return cover.best == INT64_MAX || cover.gave_up ? 0 : cover.best;
}
