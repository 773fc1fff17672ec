/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/ffd.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"

enum { RANKS_MAX = 5 };

/* Rank of the class among the distinct priorities, lowest is 0. */
static uint32_t rank_of(const struct bp_red *red, uint32_t class_i)
{
    uint32_t rank = 0;
    int32_t at = red->priority[class_i];
    for (uint32_t step = 0; step < RANKS_MAX; step++) {
        bool any = false;
        int32_t next = 0;
        for (uint32_t i = 0; i < red->n_classes; i++) {
            if (red->priority[i] < at && (!any || red->priority[i] > next)) {
                next = red->priority[i];
                any = true;
            }
        }
        if (!any) {
            break;
        }
        at = next;
        rank++;
    }
    return rank;
}

static double share_price(const struct bp_red *red, uint32_t i, uint32_t k)
{
    const double *size = red->size_of + (size_t)i * red->n_dims;
    const double *cap = red->cap + (size_t)k * red->n_dims;
    double share = 1 / red->per_node[i];
    for (uint32_t d = 0; d < red->n_dims; d++) {
        if (size[d] > cap[d]) {
            return INFINITY;
        }
        if (size[d] > share * cap[d]) {
            share = size[d] / cap[d];
        }
    }
    return share * red->cost[k];
}

void bp_ffd_values(const struct bp_red *red, enum bp_ffd_values how, double *value)
{
    double least = 1;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        double best = INFINITY;
        for (uint32_t k = 0; k < red->n_kinds; k++) {
            if (red->cost[k] > 0 && red->cost[k] < INFINITY && bits_get(bp_red_accept(red, k), i)) {
                best = fmin(best, share_price(red, i, k));
            }
        }
        value[i] = isinf(best) ? 0 : best;
        if (value[i] > 0) {
            least = fmin(least, value[i]);
        }
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        /* What only free nodes hold has no price of its own, but has to go somewhere. */
        value[i] = value[i] > 0 ? value[i] : least * red->pods[i];
        if (how == BP_FFD_PRIORITY) {
            value[i] = red->pods[i] * (1 + 1e-3 * value[i]) * pow(1e3, rank_of(red, i));
        }
    }
}

struct ffd {
    struct bp_pricer *pricer;
    const struct bp_red *red;
    double *ratio; /* [n_kinds] value for its price, of the last look */
    uint32_t *heap;
    uint32_t n_heap;
    double *threshold;
    uint64_t ops;
};

static bool better(const struct ffd *f, uint32_t x, uint32_t y)
{
    return f->ratio[x] != f->ratio[y] ? f->ratio[x] > f->ratio[y] : x < y;
}

static void sift(struct ffd *f, uint32_t at)
{
    uint32_t kind = f->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= f->n_heap) {
            break;
        }
        if (child + 1 < f->n_heap && better(f, f->heap[child + 1], f->heap[child])) {
            child++;
        }
        if (!better(f, f->heap[child], kind)) {
            break;
        }
        f->heap[at] = f->heap[child];
        at = child;
    }
    f->heap[at] = kind;
}

static void drop_top(struct ffd *f)
{
    f->heap[0] = f->heap[--f->n_heap];
    if (f->n_heap > 0) {
        sift(f, 0);
    }
}

/* Looks at kinds again; their patterns are then in the pricer. */
static void look(struct ffd *f, const double *value, const struct bp_rest *rest, uint32_t n,
                 const uint32_t *kinds)
{
    struct bp_price_job job = {.value = value,
                               .upper = rest->demand,
                               .rules = BP_RULES_PLAN,
                               .n = n,
                               .kinds = kinds,
                               .threshold = f->threshold,
                               .nodes = 1,
                               .rel = 0};
    f->ops += bp_pricer_run(f->pricer, &job);
    for (uint32_t j = 0; j < n; j++) {
        const struct bp_priced *priced = &f->pricer->priced[kinds[j]];
        /* Free kinds come first, fullest first. */
        f->ratio[kinds[j]] =
            priced->n_found > 0 ? priced->value[0] / fmax(f->red->cost[kinds[j]], 1e-6) : 0;
    }
}

/* Whole copies of a pattern that what is left asks for. */
static double copies(const struct bp_rest *rest, const struct bp_item *items, uint32_t n)
{
    double most = INFINITY;
    for (uint32_t j = 0; j < n; j++) {
        most = fmin(most, floor(rest->demand[items[j].class_i] / items[j].count));
    }
    return most;
}

uint64_t bp_ffd_fill(struct bp_pricer *pricer, struct bp_pool *pool, struct arena *arena,
                     const double *value, struct bp_rest *rest, struct bp_mix *mix)
{
    const struct bp_red *red = pool->red;
    auto_arena scratch = ARENA_INIT;
    struct ffd f = {.pricer = pricer, .red = red};
    f.ratio = ARENA_ARRAY(&scratch, double, red->n_kinds + 1);
    f.heap = ARENA_ARRAY(&scratch, uint32_t, red->n_kinds + 1);
    f.threshold = ARENA_ARRAY(&scratch, double, red->n_kinds + 1);
    memset(pricer->has_lambda, 0, red->n_kinds * sizeof(bool));
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (bp_rest_room(rest, red, k) >= 1) {
            f.heap[f.n_heap++] = k;
        }
    }
    look(&f, value, rest, f.n_heap, f.heap);
    for (uint32_t at = f.n_heap / 2; at-- > 0;) {
        sift(&f, at);
    }
    while (f.n_heap > 0 && f.ratio[f.heap[0]] > 0) {
        uint32_t kind = f.heap[0];
        double room = bp_rest_room(rest, red, kind);
        if (room < 1) {
            drop_top(&f);
            continue;
        }
        pricer->has_lambda[kind] = false; /* the value is wanted, not a proof */
        look(&f, value, rest, 1, &kind);
        sift(&f, 0);
        if (f.heap[0] != kind || f.ratio[kind] <= 0) {
            continue;
        }
        const struct bp_priced *priced = &pricer->priced[kind];
        uint32_t n = bp_pattern_shrink(red, kind, priced->items[0], priced->n_items[0]);
        if (n == 0) {
            drop_top(&f);
            continue;
        }
        double count = fmin(room, copies(rest, priced->items[0], n));
        bp_mix_place(mix, rest, pool, arena, kind, priced->items[0], n, (uint32_t)count);
    }
    memset(pricer->has_lambda, 0, red->n_kinds * sizeof(bool));
    return f.ops;
}
