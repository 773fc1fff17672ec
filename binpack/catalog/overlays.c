/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/overlays.h"

#include <stdlib.h>

#include "base/arena.h"
#include "binpack/catalog/amounts.h"

#define NOBODY UINT32_MAX

struct setter { /* who set an amount */
    strid resource;
    uint32_t overlay_i;
};

struct cell { /* of a pool and type that some overlay selects */
    uint32_t
        *price_by; /* [n_offerings of the type] overlay or NOBODY; NULL while no price is set */
    VEC(struct setter) setters;
    struct cat_amounts amounts;
    struct k8s_resources capacity;
};

struct cat_overlays {
    const struct karp_overlay *all;
    uint32_t n, n_pools;
    const struct catalog *catalog;
    struct cell **cells; /* [n_pools][n_types], NULL: nothing */
    enum cat_overlay_verdict *verdicts;
};

/* One evaluation; the selection of the overlay at hand is kept, so that `selects` is asked once. */
struct evaluation {
    struct cat_overlays *to;
    cat_overlay_selects_fn *selects;
    void *context;
    const struct k8s_words *words;
    struct arena *arena;
    bool *selected; /* [offerings of the type at hand] */
};

static bool sets_price(const struct karp_overlay *overlay)
{
    return overlay->has_price || overlay->has_adjustment;
}

struct opt_usd cat_overlay_adjust(const struct karp_overlay *overlay, struct opt_usd price)
{
    const int64_t whole = INT64_C(100) * 1000000; /* 100 %, in millionths of a percent */
    if (overlay->has_price) {
        return (struct opt_usd){.has = true, .v = overlay->price};
    }
    if (!overlay->has_adjustment || !price.has) {
        return price;
    }
    usd_t change = overlay->adjustment;
    if (overlay->adjustment_is_percent) {
        usd_t size = change < 0 ? -change : change;
        size = muldiv_floor(price.v, size, whole);
        change = overlay->adjustment < 0 ? -size : size;
    }
    usd_t adjusted = sat_add(price.v, change);
    return (struct opt_usd){.has = true, .v = adjusted < 0 ? 0 : adjusted};
}

static bool valid(const struct karp_overlay *overlay, const struct k8s_words *words)
{
    const strid closed[] = {words->cpu, words->memory, words->pods, words->ephemeral_storage};
    for (uint32_t i = 0; i < overlay->capacity.n; i++) {
        for (size_t k = 0; k < sizeof closed / sizeof *closed; k++) {
            if (overlay->capacity.v[i].resource == closed[k]) {
                return false;
            }
        }
    }
    return !(overlay->has_price && overlay->has_adjustment);
}

static struct cell **cell_of(const struct cat_overlays *overlays, uint32_t pool_i, uint32_t type_i)
{
    return &overlays->cells[(size_t)pool_i * overlays->catalog->n_types + type_i];
}

static uint32_t setter_of(const struct cell *cell, strid resource)
{
    for (size_t i = 0; i < cell->setters.n; i++) {
        if (cell->setters.v[i].resource == resource) {
            return cell->setters.v[i].overlay_i;
        }
    }
    return NOBODY;
}

/* Whether the overlay selects any offering of the type for the pool; which ones is left in
 * `selected`. */
static bool select_offerings(const struct evaluation *e, uint32_t overlay_i, uint32_t pool_i,
                             uint32_t type_i)
{
    bool any = false;
    for (uint32_t k = 0; k < e->to->catalog->types[type_i].n_offerings; k++) {
        e->selected[k] = e->selects(e->context, overlay_i, pool_i, type_i, k);
        any = any || e->selected[k];
    }
    return any;
}

/* Whether one of the same weight has set what the overlay would set on a (pool, type). */
static bool conflicts(const struct evaluation *e, const struct karp_overlay *overlay,
                      const struct cell *cell, uint32_t n_offerings)
{
    const struct karp_overlay *all = e->to->all;
    if (cell == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < n_offerings && sets_price(overlay) && cell->price_by != NULL; k++) {
        uint32_t by = cell->price_by[k];
        if (e->selected[k] && by != NOBODY && all[by].weight == overlay->weight) {
            return true;
        }
    }
    for (uint32_t i = 0; i < overlay->capacity.n; i++) {
        uint32_t by = setter_of(cell, overlay->capacity.v[i].resource);
        if (by != NOBODY && all[by].weight == overlay->weight) {
            return true;
        }
    }
    return false;
}

static void apply(const struct evaluation *e, uint32_t overlay_i, struct cell **cell,
                  uint32_t n_offerings)
{
    const struct karp_overlay *overlay = &e->to->all[overlay_i];
    if (*cell == NULL) {
        *cell = ARENA_NEW(e->arena, struct cell);
    }
    if (sets_price(overlay) && (*cell)->price_by == NULL) {
        (*cell)->price_by = ARENA_ARRAY(e->arena, uint32_t, n_offerings);
        for (uint32_t k = 0; k < n_offerings; k++) {
            (*cell)->price_by[k] = NOBODY;
        }
    }
    for (uint32_t k = 0; k < n_offerings && sets_price(overlay); k++) {
        if (e->selected[k] && (*cell)->price_by[k] == NOBODY) {
            (*cell)->price_by[k] = overlay_i;
        }
    }
    for (uint32_t i = 0; i < overlay->capacity.n; i++) {
        const struct k8s_quantity *q = &overlay->capacity.v[i];
        if (setter_of(*cell, q->resource) == NOBODY) {
            VEC_PUSH(e->arena, &(*cell)->setters,
                     (struct setter){.resource = q->resource, .overlay_i = overlay_i});
            cat_amounts_set(&(*cell)->amounts, e->arena, q->resource, q->value);
        }
    }
}

/* Two passes over pools and types: first whether the overlay clashes anywhere, then its effect. */
static enum cat_overlay_verdict evaluate(const struct evaluation *e, uint32_t overlay_i)
{
    const struct karp_overlay *overlay = &e->to->all[overlay_i];
    const struct catalog *catalog = e->to->catalog;
    bool matched = false;
    if (!valid(overlay, e->words)) {
        return CAT_OVERLAY_INVALID;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t p = 0; p < e->to->n_pools; p++) {
            for (uint32_t t = 0; t < catalog->n_types; t++) {
                uint32_t n_offerings = catalog->types[t].n_offerings;
                struct cell **cell = cell_of(e->to, p, t);
                if (!select_offerings(e, overlay_i, p, t)) {
                    continue;
                }
                matched = true;
                if (pass == 0 && conflicts(e, overlay, *cell, n_offerings)) {
                    return CAT_OVERLAY_CONFLICT;
                }
                if (pass == 1) {
                    apply(e, overlay_i, cell, n_offerings);
                }
            }
        }
    }
    return matched ? CAT_OVERLAY_APPLIED : CAT_OVERLAY_NO_MATCH;
}

struct order_key {
    int32_t weight;
    struct str name;
    uint32_t index;
};

static int by_precedence(const void *a, const void *b)
{
    const struct order_key *x = a, *y = b;
    if (x->weight != y->weight) {
        return x->weight > y->weight ? -1 : 1;
    }
    int order = str_cmp(y->name, x->name);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

const struct cat_overlays *cat_overlays_new(const struct karp_overlay *overlays,
                                            uint32_t n_overlays, uint32_t n_pools,
                                            const struct catalog *catalog,
                                            cat_overlay_selects_fn *selects, void *context,
                                            const struct k8s_words *words, struct arena *arena)
{
    struct cat_overlays *to = ARENA_NEW(arena, struct cat_overlays);
    uint32_t n_widest = 0;
    *to =
        (struct cat_overlays){.all = overlays,
                              .n = n_overlays,
                              .n_pools = n_pools,
                              .catalog = catalog,
                              .verdicts = ARENA_ARRAY(arena, enum cat_overlay_verdict, n_overlays)};
    if (n_overlays == 0) {
        return to;
    }
    to->cells = ARENA_ARRAY(arena, struct cell *, (size_t)n_pools * catalog->n_types);
    for (uint32_t i = 0; i < catalog->n_types; i++) {
        uint32_t n = catalog->types[i].n_offerings;
        n_widest = n > n_widest ? n : n_widest;
    }
    const struct evaluation e = {.to = to,
                                 .selects = selects,
                                 .context = context,
                                 .words = words,
                                 .arena = arena,
                                 .selected = ARENA_ARRAY(arena, bool, n_widest)};
    struct order_key *order = ARENA_ARRAY(arena, struct order_key, n_overlays);
    for (uint32_t i = 0; i < n_overlays; i++) {
        order[i] = (struct order_key){
            .weight = overlays[i].weight, .name = overlays[i].meta.name, .index = i};
    }
    qsort(order, n_overlays, sizeof *order, by_precedence);
    for (uint32_t i = 0; i < n_overlays; i++) {
        to->verdicts[order[i].index] = evaluate(&e, order[i].index);
    }
    for (size_t i = 0; i < (size_t)n_pools * catalog->n_types; i++) {
        if (to->cells[i] != NULL) {
            to->cells[i]->capacity = cat_amounts_freeze(&to->cells[i]->amounts, arena);
        }
    }
    return to;
}

uint32_t cat_overlays_price_by(const struct cat_overlays *overlays, uint32_t pool_i,
                               uint32_t type_i, uint32_t offering_i)
{
    const struct cell *cell = overlays->cells == NULL ? NULL : *cell_of(overlays, pool_i, type_i);
    return cell == NULL || cell->price_by == NULL ? NOBODY : cell->price_by[offering_i];
}

struct opt_usd cat_overlays_price(const struct cat_overlays *overlays, uint32_t pool_i,
                                  uint32_t type_i, uint32_t offering_i)
{
    struct opt_usd price = overlays->catalog->types[type_i].offerings[offering_i].price;
    uint32_t by = cat_overlays_price_by(overlays, pool_i, type_i, offering_i);
    return by == NOBODY ? price : cat_overlay_adjust(&overlays->all[by], price);
}

const struct k8s_resources *cat_overlays_capacity(const struct cat_overlays *overlays,
                                                  uint32_t pool_i, uint32_t type_i)
{
    static const struct k8s_resources none = {.n = 0, .v = NULL};
    const struct cell *cell = overlays->cells == NULL ? NULL : *cell_of(overlays, pool_i, type_i);
    return cell == NULL ? &none : &cell->capacity;
}

enum cat_overlay_verdict cat_overlays_verdict(const struct cat_overlays *overlays,
                                              uint32_t overlay_i)
{
    return overlays->verdicts[overlay_i];
}
