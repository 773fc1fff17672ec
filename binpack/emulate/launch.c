/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Launching a claim: which types it names, and what it is paid as. */
#include "binpack/emulate/claims.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An offering that a claim could be launched as. */
struct way {
    usd_t price;
    uint32_t type_i, offer_i;
    enum cat_capacity_type capacity_type;
};

static int way_cmp(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    return (x->offer_i > y->offer_i) - (x->offer_i < y->offer_i);
}

bool emu_type_is_exotic(const struct emu_claims *c, uint32_t type_i)
{
    static const char *const accelerators[] = {"nvidia.com/gpu", "amd.com/gpu",
                                               "aws.amazon.com/neuron", "aws.amazon.com/neuroncore",
                                               "habana.ai/gaudi"};
    const struct sched_snapshot *s = c->asks->base->snapshot;
    const struct cat_type *type = &s->catalog->types[type_i];
    bool exotic = type->bare_metal;
    for (size_t i = 0; i < sizeof accelerators / sizeof accelerators[0]; i++) {
        exotic = exotic || k8s_resources_get(&type->capacity,
                                             strtab_find(s->tab, str_of(accelerators[i]))) > 0;
    }
    return exotic;
}

static uint32_t drop_exotic(const struct emu_claims *c, struct way *ways, uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        kept += !emu_type_is_exotic(c, ways[i].type_i);
    }
    if (kept == 0) {
        return n;
    }
    kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!emu_type_is_exotic(c, ways[i].type_i)) {
            ways[kept++] = ways[i];
        }
    }
    return kept;
}

/* Spot that is dearer than the cheapest on-demand offering of any type is not asked for. */
static uint32_t drop_dear_spot(struct way *ways, uint32_t n)
{
    uint32_t kept = 0;
    usd_t least = -1;
    for (uint32_t i = 0; i < n && least < 0; i++) {
        least = ways[i].capacity_type == CAT_ON_DEMAND ? ways[i].price : -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (least < 0 || ways[i].capacity_type != CAT_SPOT || ways[i].price <= least) {
            ways[kept++] = ways[i];
        }
    }
    return kept;
}

/* What it could be launched as, cheapest first, after the provider's filters (karp aws: filter.go);
 * minValues keep them out. */
static struct way *ways_of(struct emu_claims *c, const struct emu_claim *claim, uint32_t *ret_n)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    const struct sched_offers *o = c->asks->base->offers;
    VEC(struct way) ways = {0};
    for (size_t e = bits_next(claim->entries, pool->n_entries, 0); e < pool->n_entries;
         e = bits_next(claim->entries, pool->n_entries, e + 1)) {
        for (uint32_t k = 0; k < pool->entries[e].n; k++) {
            const uint32_t offer_i = pool->entries[e].from + k;
            const struct sched_offer *offer = &o->v[offer_i];
            const uint32_t reservation = emu_reservation_of(c, offer);
            if (bits_get(claim->cells, offer->cell_i) &&
                (reservation == SCHED_NONE ||
                 (claim->held != NULL && bits_get(claim->held, reservation)))) {
                VEC_PUSH(c->arena, &ways,
                         (struct way){.price = offer->price,
                                      .type_i = offer->type_i,
                                      .offer_i = offer_i,
                                      .capacity_type = offer->capacity_type});
            }
        }
    }
    assert(ways.n > 0); /* It holds pods, so some offering holds them. */
    qsort(ways.v, ways.n, sizeof *ways.v, way_cmp);
    *ret_n = (uint32_t)ways.n;
    if (!pool->counts_values) {
        *ret_n = drop_exotic(c, ways.v, *ret_n);
        *ret_n = drop_dear_spot(ways.v, *ret_n);
    }
    return ways.v;
}

/* Types by the price of their cheapest offering. NodePools with minValues name all of them, as a
 * shorter list might not show enough. */
static uint32_t choose_types(struct emu_claims *c, const struct emu_claim *claim,
                             const struct way *ways, uint32_t n, uint32_t options_max,
                             uint32_t *types)
{
    const uint32_t max = c->pools[claim->pool_i].counts_values ? n : options_max;
    uint64_t *seen = ARENA_ARRAY(c->arena, uint64_t,
                                 bits_words(c->asks->base->offers->snapshot->catalog->n_types));
    uint32_t n_types = 0;
    for (uint32_t i = 0; i < n && n_types < max; i++) {
        if (!bits_get(seen, ways[i].type_i)) {
            bits_set(seen, ways[i].type_i);
            types[n_types++] = ways[i].type_i;
        }
    }
    return n_types;
}

static bool is_listed(const uint32_t *types, uint32_t n, uint32_t type_i)
{
    for (uint32_t i = 0; i < n; i++) {
        if (types[i] == type_i) {
            return true;
        }
    }
    return false;
}

/* From now on the claim is what was launched. */
static void pin(struct emu_claims *c, struct emu_claim *claim, uint32_t offer_i)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    for (uint32_t e = 0; e < pool->n_entries; e++) {
        if (offer_i < pool->entries[e].from ||
            offer_i >= pool->entries[e].from + pool->entries[e].n) {
            bits_clear(claim->entries, e);
        }
    }
    memset(claim->cells, 0, c->cell_words * sizeof *claim->cells);
    bits_set(claim->cells, c->asks->base->offers->v[offer_i].cell_i);
    claim->offer_i = offer_i;
    claim->held = NULL;
    emu_claim_room(c, claim);
}

/* Would a launch of both differ in the type only? */
static bool same_launch(const struct emu_claims *c, const struct way *a, const struct way *b)
{
    const struct sched_offers *o = c->asks->base->offers;
    const struct sched_offer *x = &o->v[a->offer_i], *y = &o->v[b->offer_i];
    return x->zone_i == y->zone_i && x->capacity_type == y->capacity_type &&
           x->reservation_id == y->reservation_id &&
           o->cells[x->cell_i].variant_i == o->cells[y->cell_i].variant_i;
}

/* Of the types that are asked for, those that could stand in for `best` where it is launched: a
 * plan names them beside the zone. */
static void set_options(struct emu_claims *c, struct emu_claim *claim, const struct way *ways,
                        uint32_t n, const struct way *best, uint32_t n_types, const uint32_t *types)
{
    uint32_t *options = ARENA_ARRAY(c->arena, uint32_t, n_types);
    claim->options = options;
    for (uint32_t i = 0; i < n; i++) {
        if (is_listed(types, n_types, ways[i].type_i) &&
            (c->pools[claim->pool_i].counts_values || same_launch(c, &ways[i], best)) &&
            !is_listed(options, claim->n_options, ways[i].type_i)) {
            options[claim->n_options++] = ways[i].type_i;
        }
    }
}

void emu_claim_launch(struct emu_claims *c, struct emu_claim *claim, uint32_t options_max,
                      struct rng *draw)
{
    uint32_t n = 0;
    const struct way *ways = ways_of(c, claim, &n);
    uint32_t *types = ARENA_ARRAY(c->arena, uint32_t, n);
    const uint32_t n_types = choose_types(c, claim, ways, n, options_max, types);
    const struct way *best = &ways[0];
    for (uint32_t i = 1; i < n; i++) {
        if (ways[i].capacity_type < best->capacity_type &&
            is_listed(types, n_types, ways[i].type_i)) {
            best = &ways[i];
        }
    }
    if (draw != NULL && rng_below(draw, 2) == 0) {
        const struct way *drawn = &ways[rng_below(draw, n)];
        best = is_listed(types, n_types, drawn->type_i) ? drawn : best;
    }
    set_options(c, claim, ways, n, best, n_types, types);
    pin(c, claim, best->offer_i);
}

void emu_claim_settle(struct emu_claims *c, struct emu_claim *claim)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    const struct sched_dims *dims = &c->asks->base->dims;
    const struct sched_offers *o = c->asks->base->offers;
    uint32_t *options = ARENA_ARRAY(c->arena, uint32_t, claim->n_options);
    uint32_t n = 0;
    for (uint32_t i = 0; i < claim->n_options; i++) {
        bool stays = claim->options[i] == o->v[claim->offer_i].type_i;
        for (uint32_t e = 0; e < pool->n_entries && !stays && pool->counts_values; e++) {
            const uint32_t from = pool->entries[e].from;
            stays = o->v[from].type_i == claim->options[i] &&
                    sched_dims_fit(dims, claim->used, emu_offer_capacity(c, from));
        }
        if (stays) {
            options[n++] = claim->options[i];
        }
    }
    claim->options = options;
    claim->n_options = n;
}
