/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/expand.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"

/* Units of merged classes still to hand out. */
struct handout {
    const struct bp_red *red;
    uint32_t *source; /* [n_classes] next public class, index into red->source */
    uint32_t *left;   /* [n public classes] units not handed out */
    uint32_t *offer;  /* [n_kinds] next offering, index into red->offer */
    uint64_t *used;   /* [n_kinds] nodes used of it */
};

static uint32_t next_offering(struct handout *h, uint32_t kind)
{
    const struct bp_red *red = h->red;
    for (;;) {
        uint32_t offering = red->offer[h->offer[kind]];
        uint32_t stock = red->problem->offerings[offering].stock;
        if (stock == BP_UNLIMITED || h->used[kind] < stock) {
            h->used[kind]++;
            return offering;
        }
        h->offer[kind]++;
        h->used[kind] = 0;
    }
}

static int compare_items(const void *a, const void *b)
{
    const struct bp_item *x = a, *y = b;
    return x->class_i < y->class_i ? -1 : x->class_i > y->class_i;
}

static struct bp_node make_node(struct handout *h, struct arena *arena, const struct bp_pool *pool,
                                const struct bp_pattern *p)
{
    const struct bp_red *red = h->red;
    const struct bp_item *items = pool->items.v + p->at;
    uint32_t n = 0, room = 0;
    for (uint32_t j = 0; j < p->n_items; j++) {
        uint32_t i = items[j].class_i;
        uint32_t n_sources = red->source_at[i + 1] - h->source[i];
        room += items[j].count < n_sources ? items[j].count : n_sources;
    }
    struct bp_item *out = ARENA_ARRAY(arena, struct bp_item, room + 1);
    for (uint32_t j = 0; j < p->n_items; j++) {
        uint32_t i = items[j].class_i;
        for (uint32_t units = items[j].count; units > 0;) {
            uint32_t public_i = red->source[h->source[i]];
            uint32_t take = h->left[public_i] < units ? h->left[public_i] : units;
            if (take > 0) {
                out[n++] = (struct bp_item){.class_i = public_i, .count = take};
                h->left[public_i] -= take;
                units -= take;
            }
            if (h->left[public_i] == 0 && h->source[i] + 1 < red->source_at[i + 1]) {
                h->source[i]++;
            }
        }
    }
    qsort(out, n, sizeof *out, compare_items);
    return (struct bp_node){.offering_i = next_offering(h, p->kind), .n_items = n, .items = out};
}

struct node_ref {
    struct bp_node node;
    bool running;
};

static int compare_nodes(const void *a, const void *b)
{
    const struct node_ref *x = a, *y = b;
    if (x->running != y->running) {
        return x->running ? -1 : 1;
    }
    if (x->node.offering_i != y->node.offering_i) {
        return x->node.offering_i < y->node.offering_i ? -1 : 1;
    }
    for (uint32_t j = 0; j < x->node.n_items && j < y->node.n_items; j++) {
        const struct bp_item *ix = &x->node.items[j], *iy = &y->node.items[j];
        if (ix->class_i != iy->class_i) {
            return ix->class_i < iy->class_i ? -1 : 1;
        }
        if (ix->count != iy->count) {
            return ix->count > iy->count ? -1 : 1;
        }
    }
    return x->node.n_items < y->node.n_items ? -1 : x->node.n_items > y->node.n_items;
}

void bp_expand_nodes(const struct bp_mix *mix, const struct bp_pool *pool, struct arena *arena,
                     struct bp_solution *solution)
{
    const struct bp_red *red = pool->red;
    const struct bp_problem *p = red->problem;
    uint32_t *left = ARENA_ARRAY(arena, uint32_t, p->n_classes + 1);
    auto_arena scratch = ARENA_INIT;
    struct handout h = {.red = red, .left = left};
    h.source = ARENA_ARRAY(&scratch, uint32_t, red->n_classes + 1);
    h.offer = ARENA_ARRAY(&scratch, uint32_t, red->n_kinds + 1);
    h.used = ARENA_ARRAY(&scratch, uint64_t, red->n_kinds + 1);
    memcpy(h.source, red->source_at, red->n_classes * sizeof(uint32_t));
    memcpy(h.offer, red->offer_at, red->n_kinds * sizeof(uint32_t));
    for (uint32_t i = 0; i < p->n_classes; i++) {
        left[i] = p->classes[i].demand;
    }
    size_t n_nodes = 0;
    for (uint32_t e = 0; e < mix->n; e++) {
        n_nodes += mix->entries[e].count;
    }
    struct node_ref *refs = ARENA_ARRAY(&scratch, struct node_ref, n_nodes + 1);
    size_t n = 0;
    for (uint32_t e = 0; e < mix->n; e++) {
        const struct bp_pattern *pattern = &pool->patterns.v[mix->entries[e].pattern];
        for (uint32_t c = 0; c < mix->entries[e].count; c++) {
            refs[n].node = make_node(&h, arena, pool, pattern);
            refs[n].running = p->offerings[refs[n].node.offering_i].running;
            n++;
        }
    }
    if (n > 0) {
        qsort(refs, n, sizeof *refs, compare_nodes);
    }
    struct bp_node *nodes = ARENA_ARRAY(arena, struct bp_node, n + 1);
    for (size_t j = 0; j < n; j++) {
        nodes[j] = refs[j].node;
    }
    solution->n_nodes = (uint32_t)n;
    solution->nodes = nodes;
    solution->unplaced = left;
    solution->cost = mix->cost;
}

static void take_node(const struct bp_node *node, const uint32_t *class_of, struct bp_pool *pool,
                      struct arena *arena, struct bp_rest *rest, struct bp_mix *mix)
{
    const struct bp_red *red = pool->red;
    const struct bp_problem *p = red->problem;
    if (node->offering_i >= p->n_offerings) {
        return;
    }
    uint32_t kind = red->kind_of[node->offering_i];
    if (kind == BP_NO_KIND || bp_rest_room(rest, red, kind) < 1) {
        return;
    }
    auto_arena scratch = ARENA_INIT;
    struct bp_item *items = ARENA_ARRAY(&scratch, struct bp_item, node->n_items + 1);
    uint32_t n = 0;
    for (uint32_t j = 0; j < node->n_items; j++) {
        uint32_t i =
            node->items[j].class_i < p->n_classes ? class_of[node->items[j].class_i] : UINT32_MAX;
        if (i == UINT32_MAX) {
            continue;
        }
        uint32_t at = 0;
        while (at < n && items[at].class_i != i) {
            at++;
        }
        if (at == n) {
            items[n++] = (struct bp_item){.class_i = i, .count = 0};
        }
        double most = fmin(rest->demand[i], red->per_node[i]);
        items[at].count = (uint32_t)fmin(most, items[at].count + (double)node->items[j].count);
        if (items[at].count == 0) {
            n--;
        }
    }
    if (n == 0) {
        return;
    }
    qsort(items, n, sizeof *items, compare_items);
    if (bp_pattern_fits(red, kind, items, n) && bp_pattern_is_varied(red, kind, items, n)) {
        /* On its own kind: a cheaper one may be what a later node stands on. */
        bool is_new;
        uint32_t pattern = bp_pool_add(pool, kind, items, n, &is_new);
        bp_rest_take(rest, red, kind, items, n, 1);
        bp_mix_add(mix, arena, pattern, 1);
    }
}

void bp_expand_start(const struct bp_node *nodes, uint32_t n, struct bp_pool *pool,
                     struct arena *arena, struct bp_rest *rest, struct bp_mix *mix)
{
    const struct bp_red *red = pool->red;
    auto_arena scratch = ARENA_INIT;
    uint32_t *class_of = ARENA_ARRAY(&scratch, uint32_t, red->problem->n_classes + 1);
    memset(class_of, 0xff, red->problem->n_classes * sizeof(uint32_t));
    for (uint32_t i = 0; i < red->n_classes; i++) {
        for (uint32_t s = red->source_at[i]; s < red->source_at[i + 1]; s++) {
            class_of[red->source[s]] = i;
        }
    }
    for (uint32_t j = 0; j < n; j++) {
        take_node(&nodes[j], class_of, pool, arena, rest, mix);
    }
}

/* A plain bound of what an offering without stock could hold: it counts for nothing, but says no
 * untruth. */
static int64_t unused_value(const struct bp_problem *p, const int64_t *dual, uint32_t k)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (dual[i] > 0 &&
            bits_get(p->mask + (size_t)i * bits_words(p->n_domains), p->offerings[k].domain)) {
            sum = sat_add(sum, sat_mul(dual[i], p->classes[i].demand));
        }
    }
    return sum;
}

void bp_expand_bound(const struct bp_bound *bound, const struct bp_red *red, struct arena *arena,
                     struct bp_certificate *out)
{
    const struct bp_problem *p = red->problem;
    int64_t *dual = ARENA_ARRAY(arena, int64_t, p->n_classes + 1);
    int64_t *limit_dual = ARENA_ARRAY(arena, int64_t, p->n_limits + 1);
    int64_t *best_value = ARENA_ARRAY(arena, int64_t, p->n_offerings + 1);
    for (uint32_t i = 0; i < red->n_classes; i++) {
        for (uint32_t s = red->source_at[i]; s < red->source_at[i + 1]; s++) {
            dual[red->source[s]] = bound->dual[i];
        }
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        limit_dual[red->limit_source[r]] = bound->limit_dual[r];
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        uint32_t kind = red->kind_of[k];
        best_value[k] = kind != BP_NO_KIND           ? bound->value[kind]
                        : p->offerings[k].stock == 0 ? unused_value(p, dual, k)
                                                     : 0;
    }
    *out = (struct bp_certificate){.bound = bound->bound,
                                   .dual = dual,
                                   .limit_dual = limit_dual,
                                   .best_value = best_value,
                                   .relaxed_varieties = red->relaxed_varieties,
                                   .relaxed_exclusions = red->relaxed_exclusions,
                                   .relaxed_caps = red->relaxed_caps};
}
