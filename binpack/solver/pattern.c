/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/pattern.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"

void bp_pool_init(struct bp_pool *pool, struct arena *arena, const struct bp_red *red)
{
    *pool = (struct bp_pool){.red = red, .arena = arena, .table_size = 1024};
    pool->table = ARENA_ARRAY(arena, uint32_t, pool->table_size);
}

static uint64_t hash_pattern(uint32_t kind, const struct bp_item *items, uint32_t n)
{
    uint64_t h = kind * UINT64_C(0x9e3779b97f4a7c15) + n;
    for (uint32_t j = 0; j < n; j++) {
        h = (h ^ (((uint64_t)items[j].class_i << 32) | items[j].count)) *
            UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 29;
    }
    return h ^ (h >> 32);
}

static bool same_pattern(const struct bp_pool *pool, uint32_t pattern, uint32_t kind,
                         const struct bp_item *items, uint32_t n)
{
    const struct bp_pattern *p = &pool->patterns.v[pattern];
    return p->kind == kind && p->n_items == n &&
           memcmp(pool->items.v + p->at, items, n * sizeof *items) == 0;
}

static void grow_table(struct bp_pool *pool)
{
    pool->table_size *= 2;
    pool->table = ARENA_ARRAY(pool->arena, uint32_t, pool->table_size);
    for (uint32_t j = 0; j < pool->patterns.n; j++) {
        const struct bp_pattern *p = &pool->patterns.v[j];
        uint32_t at = (uint32_t)hash_pattern(p->kind, pool->items.v + p->at, p->n_items);
        for (at &= pool->table_size - 1; pool->table[at] != 0;) {
            at = (at + 1) & (pool->table_size - 1);
        }
        pool->table[at] = j + 1;
    }
}

uint32_t bp_pool_add(struct bp_pool *pool, uint32_t kind, const struct bp_item *items, uint32_t n,
                     bool *ret_new)
{
    assert(n > 0);
    uint32_t at = (uint32_t)hash_pattern(kind, items, n) & (pool->table_size - 1);
    *ret_new = false;
    while (pool->table[at] != 0) {
        if (same_pattern(pool, pool->table[at] - 1, kind, items, n)) {
            return pool->table[at] - 1;
        }
        at = (at + 1) & (pool->table_size - 1);
    }
    struct bp_pattern pattern = {.kind = kind, .n_items = n, .at = pool->items.n};
    for (uint32_t j = 0; j < n; j++) {
        VEC_PUSH(pool->arena, &pool->items, items[j]);
    }
    VEC_PUSH(pool->arena, &pool->patterns, pattern);
    uint32_t added = (uint32_t)pool->patterns.n;
    pool->table[at] = added;
    if (added * 2 > pool->table_size) {
        grow_table(pool);
    }
    *ret_new = true;
    return added - 1;
}

static bool caps_hold(const struct bp_red *red, uint32_t kind, const struct bp_item *items,
                      uint32_t n)
{
    for (uint32_t c = 0; c < red->n_caps; c++) {
        const uint64_t *members = red->cap_members + (size_t)c * red->n_words;
        double units = 0;
        for (uint32_t j = 0; j < n; j++) {
            units += bits_get(members, items[j].class_i) ? items[j].count : 0;
        }
        if (units > bp_red_cap_max(red, c, kind)) {
            return false;
        }
    }
    return true;
}

static bool exclusions_hold(const struct bp_red *red, const struct bp_item *items, uint32_t n)
{
    for (uint32_t e = 0; e < red->n_exclusions; e++) {
        const uint64_t *a = red->exclude_a + (size_t)e * red->n_words;
        const uint64_t *b = red->exclude_b + (size_t)e * red->n_words;
        for (uint32_t j = 0; j < n; j++) {
            if (!bits_get(a, items[j].class_i)) {
                continue;
            }
            for (uint32_t l = 0; l < n; l++) {
                if (l != j && bits_get(b, items[l].class_i)) {
                    return false;
                }
            }
        }
    }
    return true;
}

bool bp_pattern_fits(const struct bp_red *red, uint32_t kind, const struct bp_item *items,
                     uint32_t n)
{
    const uint64_t *accept = bp_red_accept(red, kind);
    double used[BP_MAX_DIMS] = {0};
    for (uint32_t j = 0; j < n; j++) {
        uint32_t i = items[j].class_i;
        if (!bits_get(accept, i) || items[j].count > red->per_node[i]) {
            return false;
        }
        for (uint32_t d = 0; d < red->n_dims; d++) {
            used[d] += red->size_of[(size_t)i * red->n_dims + d] * items[j].count;
        }
    }
    for (uint32_t d = 0; d < red->n_dims; d++) {
        if (used[d] > red->cap[(size_t)kind * red->n_dims + d]) {
            return false;
        }
    }
    return caps_hold(red, kind, items, n) && exclusions_hold(red, items, n);
}

/* ---- varieties ---- */

struct holder {
    const struct bp_problem *p;
    int64_t used[BP_MAX_DIMS];
    const struct bp_item *items;
    const uint32_t *class_of; /* representative public class by item */
    uint32_t n;
};

static bool offering_holds(const struct bp_red *red, const struct holder *h, uint32_t k)
{
    const struct bp_problem *p = h->p;
    for (uint32_t d = 0; d < p->n_dims; d++) {
        if (h->used[d] > p->capacity[(size_t)k * p->n_dims + d]) {
            return false;
        }
    }
    size_t words = bits_words(p->n_domains);
    for (uint32_t j = 0; j < h->n; j++) {
        uint32_t i = red->source[red->source_at[h->items[j].class_i]];
        if (!bits_get(p->mask + i * words, p->offerings[k].domain)) {
            return false;
        }
    }
    for (uint32_t c = 0; c < p->n_caps; c++) {
        uint64_t units = 0;
        for (uint32_t j = 0; j < h->n; j++) {
            uint32_t i = red->source[red->source_at[h->items[j].class_i]];
            units += bits_get(p->caps[c].members, i) ? h->items[j].count : 0;
        }
        uint32_t max = p->caps[c].max_at != NULL ? p->caps[c].max_at[k] : p->caps[c].max;
        if (units > max) {
            return false;
        }
    }
    return true;
}

/* Counts distinct values until there are enough. */
static bool variety_holds(const struct bp_red *red, const struct holder *h,
                          const struct bp_variety *v, struct arena *scratch)
{
    const struct bp_problem *p = h->p;
    VEC(uint32_t) seen = {0};
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        uint32_t value = v->value[k];
        if (value == BP_NO_VALUE) {
            continue;
        }
        size_t s = 0;
        while (s < seen.n && seen.v[s] != value) {
            s++;
        }
        if (s == seen.n && offering_holds(red, h, k)) {
            VEC_PUSH(scratch, &seen, value);
            if (seen.n >= v->min_values) {
                return true;
            }
        }
    }
    return false;
}

bool bp_pattern_is_varied(const struct bp_red *red, uint32_t kind, const struct bp_item *items,
                          uint32_t n)
{
    const struct bp_problem *p = red->problem;
    if (!red->relaxed_varieties) {
        return true;
    }
    struct holder h = {.p = p, .items = items, .n = n};
    for (uint32_t j = 0; j < n; j++) {
        uint32_t i = red->source[red->source_at[items[j].class_i]];
        for (uint32_t d = 0; d < p->n_dims; d++) {
            h.used[d] += p->size[(size_t)i * p->n_dims + d] * items[j].count;
        }
    }
    uint32_t offering = red->offer[red->offer_at[kind]];
    auto_arena scratch = ARENA_INIT;
    for (uint32_t v = 0; v < p->n_varieties; v++) {
        if (p->varieties[v].value[offering] != BP_NO_VALUE && p->varieties[v].min_values > 1 &&
            !variety_holds(red, &h, &p->varieties[v], &scratch)) {
            return false;
        }
    }
    return true;
}

uint32_t bp_pattern_shrink(const struct bp_red *red, uint32_t kind, struct bp_item *items,
                           uint32_t n)
{
    /* Halving the count of the first (largest) class first keeps the number of checks logarithmic.
     */
    while (n > 0 && !bp_pattern_is_varied(red, kind, items, n)) {
        uint32_t most = 0;
        for (uint32_t j = 1; j < n; j++) {
            if (items[j].count > items[most].count) {
                most = j;
            }
        }
        items[most].count = items[most].count > 8 ? items[most].count - items[most].count / 8
                                                  : items[most].count - 1;
        if (items[most].count == 0) {
            memmove(items + most, items + most + 1, (n - most - 1) * sizeof *items);
            n--;
        }
    }
    return n;
}

static void add_single(struct bp_pool *pool, uint32_t i)
{
    const struct bp_red *red = pool->red;
    double best = INFINITY;
    struct bp_item found = {.class_i = i};
    uint32_t found_kind = BP_NO_KIND;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (!bits_get(bp_red_accept(red, k), i)) {
            continue;
        }
        double units = red->per_node[i];
        for (uint32_t d = 0; d < red->n_dims; d++) {
            double size = red->size_of[(size_t)i * red->n_dims + d];
            double cap = red->cap[(size_t)k * red->n_dims + d];
            units = size * units > cap ? floor(cap / size) : units;
        }
        for (uint32_t c = 0; c < red->n_caps; c++) {
            if (bits_get(red->cap_members + (size_t)c * red->n_words, i)) {
                units = fmin(units, bp_red_cap_max(red, c, k));
            }
        }
        struct bp_item item = {.class_i = i, .count = (uint32_t)units};
        if (units >= 1 && red->cost[k] / units < best && bp_pattern_is_varied(red, k, &item, 1)) {
            best = red->cost[k] / units;
            found = item;
            found_kind = k;
        }
    }
    if (found_kind != BP_NO_KIND) {
        bool is_new;
        bp_pool_add(pool, found_kind, &found, 1, &is_new);
    }
}

void bp_pool_add_singles(struct bp_pool *pool)
{
    for (uint32_t i = 0; i < pool->red->n_classes; i++) {
        add_single(pool, i);
    }
}
