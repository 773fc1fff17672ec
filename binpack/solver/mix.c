/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"

void bp_rest_init(struct bp_rest *rest, struct arena *arena, const struct bp_red *red)
{
    rest->demand = ARENA_ARRAY(arena, double, red->n_classes + 1);
    rest->stock = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    rest->limit = ARENA_ARRAY(arena, double, red->n_limits + 1);
    bp_rest_reset(rest, red);
}

void bp_rest_reset(struct bp_rest *rest, const struct bp_red *red)
{
    memcpy(rest->demand, red->demand, red->n_classes * sizeof(double));
    memcpy(rest->stock, red->stock, red->n_kinds * sizeof(double));
    memcpy(rest->limit, red->limit_max, red->n_limits * sizeof(double));
}

void bp_rest_copy(struct bp_rest *to, const struct bp_rest *from, const struct bp_red *red)
{
    memcpy(to->demand, from->demand, red->n_classes * sizeof(double));
    memcpy(to->stock, from->stock, red->n_kinds * sizeof(double));
    memcpy(to->limit, from->limit, red->n_limits * sizeof(double));
}

double bp_rest_units(const struct bp_rest *rest, const struct bp_red *red)
{
    double sum = 0;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        sum += rest->demand[i];
    }
    return sum;
}

double bp_rest_room(const struct bp_rest *rest, const struct bp_red *red, uint32_t kind)
{
    double room = rest->stock[kind];
    for (uint32_t r = 0; r < red->n_limits; r++) {
        double use = red->limit_use[(size_t)r * red->n_kinds + kind];
        if (use > 0 && use * room > rest->limit[r]) {
            room = floor(rest->limit[r] / use);
        }
    }
    return fmax(room, 0);
}

void bp_rest_take(struct bp_rest *rest, const struct bp_red *red, uint32_t kind,
                  const struct bp_item *items, uint32_t n, double count)
{
    for (uint32_t j = 0; j < n; j++) {
        rest->demand[items[j].class_i] -= count * items[j].count;
    }
    rest->stock[kind] -= count;
    for (uint32_t r = 0; r < red->n_limits; r++) {
        rest->limit[r] -= count * red->limit_use[(size_t)r * red->n_kinds + kind];
    }
}

void bp_mix_init(struct bp_mix *mix, struct arena *arena, const struct bp_red *red)
{
    *mix = (struct bp_mix){.room = 64};
    mix->entries = ARENA_ARRAY(arena, struct bp_mix_entry, mix->room);
    mix->unplaced = ARENA_ARRAY(arena, double, red->n_classes + 1);
}

void bp_mix_clear(struct bp_mix *mix)
{
    mix->n = 0;
    mix->closed = false;
}

void bp_mix_add(struct bp_mix *mix, struct arena *arena, uint32_t pattern, uint32_t count)
{
    if (mix->n == mix->room) {
        mix->entries = arena_grow(arena, mix->entries, mix->room * sizeof *mix->entries,
                                  2 * (size_t)mix->room * sizeof *mix->entries);
        mix->room *= 2;
    }
    mix->entries[mix->n++] = (struct bp_mix_entry){.pattern = pattern, .count = count};
    mix->closed = false;
}

void bp_mix_copy(struct bp_mix *to, const struct bp_mix *from, struct arena *arena,
                 const struct bp_red *red)
{
    bp_mix_clear(to);
    for (uint32_t e = 0; e < from->n; e++) {
        bp_mix_add(to, arena, from->entries[e].pattern, from->entries[e].count);
    }
    memcpy(to->unplaced, from->unplaced, red->n_classes * sizeof(double));
    to->cost = from->cost;
    to->n_priced = from->n_priced;
    to->closed = from->closed;
}

static int compare_entries(const void *a, const void *b)
{
    const struct bp_mix_entry *x = a, *y = b;
    return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

void bp_mix_close(struct bp_mix *mix, const struct bp_pool *pool)
{
    const struct bp_red *red = pool->red;
    if (mix->n > 0) {
        qsort(mix->entries, mix->n, sizeof *mix->entries, compare_entries);
    }
    uint32_t n = 0;
    for (uint32_t e = 0; e < mix->n; e++) {
        if (n > 0 && mix->entries[n - 1].pattern == mix->entries[e].pattern) {
            mix->entries[n - 1].count += mix->entries[e].count;
        } else if (mix->entries[e].count > 0) {
            mix->entries[n++] = mix->entries[e];
        }
    }
    mix->n = n;
    memcpy(mix->unplaced, red->demand, red->n_classes * sizeof(double));
    mix->cost = 0;
    mix->n_priced = 0;
    for (uint32_t e = 0; e < n; e++) {
        const struct bp_pattern *p = &pool->patterns.v[mix->entries[e].pattern];
        const struct bp_item *items = pool->items.v + p->at;
        for (uint32_t j = 0; j < p->n_items; j++) {
            mix->unplaced[items[j].class_i] -= (double)items[j].count * mix->entries[e].count;
        }
        mix->cost += red->price[p->kind] * mix->entries[e].count;
        mix->n_priced += red->price[p->kind] > 0 ? mix->entries[e].count : 0;
    }
    mix->closed = true;
}

/* Pods left out of the highest priority at or below `under`; *ret_priority is that priority. */
static bool next_priority(const struct bp_red *red, int64_t under, int32_t *ret_priority)
{
    bool any = false;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        if (red->priority[i] < under && (!any || red->priority[i] > *ret_priority)) {
            *ret_priority = red->priority[i];
            any = true;
        }
    }
    return any;
}

int bp_mix_compare(const struct bp_mix *x, const struct bp_mix *y, const struct bp_red *red)
{
    bool differ = false;
    for (uint32_t i = 0; i < red->n_classes && !differ; i++) {
        differ = x->unplaced[i] != y->unplaced[i];
    }
    int32_t priority = 0;
    for (int64_t under = INT64_MAX; differ && next_priority(red, under, &priority);
         under = priority) {
        double more = 0;
        for (uint32_t i = 0; i < red->n_classes; i++) {
            if (red->priority[i] == priority) {
                more += (x->unplaced[i] - y->unplaced[i]) * red->pods[i];
            }
        }
        if (more != 0) {
            return more < 0 ? -1 : 1;
        }
    }
    if (x->cost != y->cost) {
        return x->cost < y->cost ? -1 : 1;
    }
    return x->n_priced < y->n_priced ? -1 : x->n_priced > y->n_priced;
}

/* One more unit of a class on one node of an entry; false when it does not fit. */
static bool add_unit(struct bp_mix *mix, uint32_t entry, struct bp_rest *rest, struct bp_pool *pool,
                     struct arena *arena, uint32_t class_i)
{
    const struct bp_red *red = pool->red;
    struct bp_pattern p = pool->patterns.v[mix->entries[entry].pattern];
    auto_arena scratch = ARENA_INIT;
    struct bp_item *items = ARENA_ARRAY(&scratch, struct bp_item, p.n_items + 1);
    uint32_t n = 0;
    for (uint32_t j = 0; j < p.n_items; j++) {
        struct bp_item item = pool->items.v[p.at + j];
        if (item.class_i > class_i && (n == 0 || items[n - 1].class_i < class_i)) {
            items[n++] = (struct bp_item){.class_i = class_i, .count = 1};
        }
        item.count += item.class_i == class_i;
        items[n++] = item;
    }
    if (items[n - 1].class_i < class_i) {
        items[n++] = (struct bp_item){.class_i = class_i, .count = 1};
    }
    if (!bp_pattern_fits(red, p.kind, items, n) || !bp_pattern_is_varied(red, p.kind, items, n)) {
        return false;
    }
    bool is_new = false;
    uint32_t pattern = bp_pool_add(pool, p.kind, items, n, &is_new);
    mix->entries[entry].count--;
    bp_mix_add(mix, arena, pattern, 1);
    rest->demand[class_i]--;
    return true;
}

void bp_mix_top_up(struct bp_mix *mix, struct bp_rest *rest, struct bp_pool *pool,
                   struct arena *arena)
{
    const struct bp_red *red = pool->red;
    int32_t priority = 0;
    for (int64_t under = INT64_MAX; next_priority(red, under, &priority); under = priority) {
        for (uint32_t i = 0; i < red->n_classes; i++) {
            for (uint32_t e = 0; e < mix->n && red->priority[i] == priority; e++) {
                while (rest->demand[i] >= 1 && mix->entries[e].count > 0 &&
                       add_unit(mix, e, rest, pool, arena, i)) {
                }
            }
        }
    }
}

uint32_t bp_mix_cheapest(const struct bp_red *red, const struct bp_rest *rest, usd_t below,
                         const struct bp_item *items, uint32_t n)
{
    /* Kinds are ordered by price. */
    for (uint32_t k = 0; k < red->n_kinds && red->price[k] < below; k++) {
        if (bp_rest_room(rest, red, k) >= 1 && bp_pattern_fits(red, k, items, n) &&
            bp_pattern_is_varied(red, k, items, n)) {
            return k;
        }
    }
    return BP_NO_KIND;
}

uint32_t bp_mix_place(struct bp_mix *mix, struct bp_rest *rest, struct bp_pool *pool,
                      struct arena *arena, uint32_t kind, const struct bp_item *items, uint32_t n,
                      uint32_t count)
{
    const struct bp_red *red = pool->red;
    uint32_t left = count;
    while (left > 0 && n > 0) {
        uint32_t on = bp_mix_cheapest(red, rest, red->price[kind], items, n);
        on = on == BP_NO_KIND ? kind : on;
        uint32_t fit = (uint32_t)fmin(left, bp_rest_room(rest, red, on));
        if (fit == 0) {
            break;
        }
        bool is_new = false;
        uint32_t pattern = bp_pool_add(pool, on, items, n, &is_new);
        bp_rest_take(rest, red, on, items, n, fit);
        bp_mix_add(mix, arena, pattern, fit);
        left -= fit;
    }
    return count - left;
}
