/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/replacement.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <stdlib.h>

enum { SPOT_TYPES_MIN = 15 };

static const struct sched_offers *offers_of(const struct emu_claims *c)
{
    return c->asks->base->offers;
}

static const struct emu_entry *entry_of(const struct emu_claims *c, const struct emu_claim *claim,
                                        size_t e)
{
    return &c->pools[claim->pool_i].entries[e];
}

static bool is_offered(const struct emu_claims *c, const struct emu_claim *claim, uint32_t offer_i,
                       enum cat_capacity_type capacity_type)
{
    const struct sched_offer *offer = &offers_of(c)->v[offer_i];
    const uint32_t reservation = emu_reservation_of(c, offer);
    return offer->capacity_type == capacity_type && bits_get(claim->cells, offer->cell_i) &&
           (reservation == SCHED_NONE ||
            (claim->held != NULL && bits_get(claim->held, reservation)));
}

/* What the entry costs in the worst case; false: it is not offered at all. */
static bool worst_price(const struct emu_claims *c, const struct emu_claim *claim, size_t e,
                        usd_t *ret_price)
{
    static const enum cat_capacity_type order[] = {CAT_RESERVED, CAT_SPOT, CAT_ON_DEMAND};
    const struct emu_entry *entry = entry_of(c, claim, e);
    bool any = false;
    for (size_t k = 0; k < sizeof order / sizeof order[0] && !any; k++) {
        *ret_price = 0;
        for (uint32_t i = entry->from; i < entry->from + entry->n; i++) {
            const usd_t price = offers_of(c)->v[i].price;
            if (is_offered(c, claim, i, order[k])) {
                *ret_price = !any || price > *ret_price ? price : *ret_price;
                any = true;
            }
        }
    }
    return any;
}

/* Keeps the entries that cost less than `below` whatever happens. */
static bool keep_cheaper(const struct emu_claims *c, struct emu_claim *claim, usd_t below)
{
    const uint32_t n = c->pools[claim->pool_i].n_entries;
    bool any = false;
    for (size_t e = bits_next(claim->entries, n, 0); e < n;
         e = bits_next(claim->entries, n, e + 1)) {
        usd_t price;
        if (worst_price(c, claim, e, &price) && price < below) {
            any = true;
        } else {
            bits_clear(claim->entries, e);
        }
    }
    return any;
}

static bool has_capacity(const struct emu_claims *c, const struct emu_claim *claim,
                         enum cat_capacity_type capacity_type)
{
    const uint32_t n = c->pools[claim->pool_i].n_entries;
    for (size_t e = bits_next(claim->entries, n, 0); e < n;
         e = bits_next(claim->entries, n, e + 1)) {
        const struct emu_entry *entry = entry_of(c, claim, e);
        for (uint32_t i = entry->from; i < entry->from + entry->n; i++) {
            if (is_offered(c, claim, i, capacity_type)) {
                return true;
            }
        }
    }
    return false;
}

static void pin_to_spot(const struct emu_claims *c, struct emu_claim *claim)
{
    const struct sched_offers *o = offers_of(c);
    for (size_t cell = bits_next(claim->cells, o->n_cells, 0); cell < o->n_cells;
         cell = bits_next(claim->cells, o->n_cells, cell + 1)) {
        if (o->cells[cell].capacity_type != CAT_SPOT) {
            bits_clear(claim->cells, cell);
        }
    }
}

struct priced {
    usd_t price;
    uint32_t entry;
};

static int priced_cmp(const void *a, const void *b)
{
    const struct priced *x = a, *y = b;
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static usd_t cheapest(const struct emu_claims *c, const struct emu_claim *claim, size_t e)
{
    const struct emu_entry *entry = entry_of(c, claim, e);
    usd_t least = INT64_MAX;
    for (uint32_t i = entry->from; i < entry->from + entry->n; i++) {
        const usd_t price = offers_of(c)->v[i].price;
        least = is_offered(c, claim, i, CAT_SPOT) && price < least ? price : least;
    }
    return least;
}

/* The 15 cheapest types, when there are as many. */
static bool keep_fifteen(const struct emu_claims *c, struct emu_claim *claim)
{
    const uint32_t n = c->pools[claim->pool_i].n_entries;
    struct priced *list = ARENA_ARRAY(c->arena, struct priced, n);
    uint64_t *seen =
        ARENA_ARRAY(c->arena, uint64_t, bits_words(offers_of(c)->snapshot->catalog->n_types) + 1);
    uint32_t n_list = 0, n_types = 0;
    for (size_t e = bits_next(claim->entries, n, 0); e < n;
         e = bits_next(claim->entries, n, e + 1)) {
        list[n_list++] = (struct priced){.price = cheapest(c, claim, e), .entry = (uint32_t)e};
    }
    if (n_list > 0) {
        qsort(list, n_list, sizeof *list, priced_cmp);
    }
    for (uint32_t i = 0; i < n_list; i++) {
        const uint32_t type_i = offers_of(c)->v[entry_of(c, claim, list[i].entry)->from].type_i;
        const bool known = bits_get(seen, type_i);
        if (!known && n_types == SPOT_TYPES_MIN && !c->pools[claim->pool_i].counts_values) {
            bits_clear(claim->entries, list[i].entry);
            continue;
        }
        bits_set(seen, type_i);
        n_types += !known;
    }
    return n_types >= SPOT_TYPES_MIN;
}

/* Is one of the nodes of the type? Then at which price is the cheapest? */
static bool same_type(const struct emu_old_node *nodes, uint32_t n, uint32_t type_i,
                      usd_t *ret_price)
{
    bool any = false;
    for (uint32_t i = 0; i < n; i++) {
        if (nodes[i].type_i == type_i) {
            *ret_price = !any || nodes[i].price < *ret_price ? nodes[i].price : *ret_price;
            any = true;
        }
    }
    return any;
}

static bool keep_other_types(const struct emu_claims *c, struct emu_claim *claim,
                             const struct emu_old_node *nodes, uint32_t n)
{
    const uint32_t n_entries = c->pools[claim->pool_i].n_entries;
    usd_t below = INT64_MAX, price = 0;
    for (size_t e = bits_next(claim->entries, n_entries, 0); e < n_entries;
         e = bits_next(claim->entries, n_entries, e + 1)) {
        if (same_type(nodes, n, offers_of(c)->v[entry_of(c, claim, e)->from].type_i, &price)) {
            below = price < below ? price : below;
        }
    }
    return below == INT64_MAX || keep_cheaper(c, claim, below);
}

bool emu_claim_replaces(struct emu_claims *c, struct emu_claim *claim,
                        const struct emu_old_node *nodes, uint32_t n, bool spot_to_spot)
{
    usd_t total = 0;
    bool all_spot = true;
    for (uint32_t i = 0; i < n; i++) {
        total = sat_add(total, nodes[i].price);
        all_spot = all_spot && nodes[i].spot;
    }
    if (all_spot && has_capacity(c, claim, CAT_SPOT)) {
        if (!spot_to_spot) {
            return false;
        }
        pin_to_spot(c, claim);
        if (!keep_cheaper(c, claim, total) || (n == 1 && !keep_fifteen(c, claim))) {
            return false;
        }
    } else {
        if (!keep_cheaper(c, claim, total)) {
            return false;
        }
        if (has_capacity(c, claim, CAT_SPOT) && has_capacity(c, claim, CAT_ON_DEMAND)) {
            pin_to_spot(c, claim);
            if (!keep_cheaper(c, claim, total)) {
                return false;
            }
        }
    }
    return (n == 1 || keep_other_types(c, claim, nodes, n)) && emu_claim_shows_variety(c, claim);
}
