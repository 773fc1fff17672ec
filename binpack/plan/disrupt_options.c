/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a replacement may be launched as: only types that still save (karp: computeConsolidation,
 * RemoveInstanceTypeOptionsByPriceAndMinValues). */
#include "base/arena.h"
#include "binpack/plan/disrupt_world.h"

enum { SPOT_TYPES_MIN = DISRUPT_SPOT_TYPES_MIN };

struct narrowing {
    const struct disrupt_world *w;
    const struct plan_node *node;
    usd_t limit; /* a type saves below it */
    usd_t *own;  /* [n_types] price in the node's zone and capacity type; INT64_MAX: not sold */
    usd_t *any;  /* [n_types] the least price in the node's NodePool */
    struct arena *arena;
};

static uint32_t pool_of(const struct disrupt_world *w, const struct sched_offer *offer)
{
    const struct sched_offers *offers = w->base->offers;
    uint32_t variant = offers->cells[offer->cell_i].variant_i;
    return w->snapshot->pools[offers->variants.v[variant].pool_i].pool_i;
}

static void find_prices(struct narrowing *x)
{
    const struct sched_offers *offers = x->w->base->offers;
    const uint32_t n_types = x->w->catalog->n_types;
    x->own = ARENA_ARRAY(x->arena, usd_t, n_types);
    x->any = ARENA_ARRAY(x->arena, usd_t, n_types);
    for (uint32_t i = 0; i < n_types; i++) {
        x->own[i] = x->any[i] = INT64_MAX;
    }
    for (uint32_t i = 0; i < offers->n; i++) {
        const struct sched_offer *o = &offers->v[i];
        if (pool_of(x->w, o) != x->node->pool_i) {
            continue;
        }
        usd_t *any = &x->any[o->type_i], *own = &x->own[o->type_i];
        *any = o->price < *any ? o->price : *any;
        if (o->zone_i == x->node->zone_i && o->capacity_type == x->node->capacity_type) {
            *own = o->price < *own ? o->price : *own;
        }
    }
}

static usd_t price_of(const struct narrowing *x, const struct cat_type *type)
{
    const size_t i = (size_t)(type - x->w->catalog->types);
    return x->own[i] != INT64_MAX ? x->own[i] : x->any[i];
}

static bool is_among(const struct cat_type *type, const struct cat_type *const *options, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (options[i] == type) {
            return true;
        }
    }
    return false;
}

/* Do the first n options, where they still save, have as many values of each key as asked? */
static bool has_values(const struct narrowing *x, const struct cat_type *const *options, uint32_t n)
{
    const struct sched_offers *offers = x->w->base->offers;
    const struct karp_nodepool *pool = &x->w->cluster->nodepools[x->node->pool_i];
    struct arena scratch = ARENA_INIT;
    bool good = true;
    for (uint32_t r = 0; r < pool->n_requirements && good; r++) {
        if (!pool->requirements[r].min_values.has) {
            continue;
        }
        struct strtab *seen = strtab_new(&scratch);
        const strid key = sched_key(x->w->snapshot->vocab, pool->requirements[r].key);
        for (uint32_t i = 0; i < offers->n; i++) {
            const struct sched_offer *o = &offers->v[i];
            strid value = STRID_NONE;
            if (o->price < x->limit && pool_of(x->w, o) == x->node->pool_i &&
                is_among(&x->w->catalog->types[o->type_i], options, n)) {
                value = sched_offer_label(offers, o, key);
            }
            if (value != STRID_NONE) {
                (void)strtab_add(seen, strtab_str(x->w->snapshot->tab, value));
            }
        }
        good = strtab_count(seen) > (uint32_t)pool->requirements[r].min_values.v;
    }
    arena_done(&scratch);
    return good;
}

static bool is_strict(const struct narrowing *x)
{
    const struct karp_nodepool *pool = &x->w->cluster->nodepools[x->node->pool_i];
    bool strict = false;
    for (uint32_t r = 0; r < pool->n_requirements; r++) {
        strict = strict || pool->requirements[r].min_values.has;
    }
    return strict && x->w->settings->min_values_policy == MAKE_STRICT;
}

/* Names the cheapest only, so that the node is not replaced again by the next cheaper one. */
static uint32_t few_spot(const struct narrowing *x, const struct cat_type *const *options,
                         uint32_t n)
{
    uint32_t few = n < SPOT_TYPES_MIN ? n : SPOT_TYPES_MIN;
    while (few < n && (!is_among(x->node->type, options, few) ||
                       (is_strict(x) && !has_values(x, options, few)))) {
        few++;
    }
    return few;
}

bool disrupt_narrow(const struct disrupt_world *w, struct plan_node *node, usd_t limit,
                    bool spot_for_spot, struct arena *arena)
{
    struct narrowing x = {.w = w, .node = node, .limit = limit};
    const usd_t near =
        sat_add(node->price, muldiv_floor(node->price, w->settings->options_within_ppm, 1000000));
    const bool strict = is_strict(&x);
    if (!strict && !spot_for_spot && near < limit && node->capacity_type != CAT_SPOT) {
        return true; /* No option is so dear. */
    }
    struct arena scratch = ARENA_INIT;
    x.arena = &scratch;
    find_prices(&x);
    const struct cat_type **left = ARENA_ARRAY(arena, const struct cat_type *, node->n_options);
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->n_options; i++) {
        if (node->options[i] == node->type || price_of(&x, node->options[i]) < limit) {
            left[n++] = node->options[i];
        }
    }
    bool good = !strict || has_values(&x, left, n);
    node->options = left;
    node->n_options = spot_for_spot ? few_spot(&x, left, n) : n;
    arena_done(&scratch);
    return good;
}
