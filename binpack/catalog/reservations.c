/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"
#include "binpack/catalog/catalog.h"

/* karp: pkg/providers/instancetype/offering. Next to nothing, but in the order of the prices. */
enum { RESERVED_PRICE_PART = 10000000 };

static uint32_t zone_named(const struct catalog *catalog, strid name)
{
    uint32_t z = 0;
    while (z < catalog->n_zones && catalog->zones[z].name != name) {
        z++;
    }
    return z;
}

static usd_t reserved_price(const struct cat_type *type, uint32_t zone_i)
{
    usd_t price = 0;
    for (uint32_t k = 0; k < type->n_offerings; k++) {
        const struct cat_offering *o = &type->offerings[k];
        if (o->capacity_type == CAT_ON_DEMAND && o->price.has &&
            (price == 0 || o->zone_i == zone_i)) {
            price = o->price.v;
        }
    }
    return price / RESERVED_PRICE_PART;
}

/* Is `o` to stand before a reservation of that zone and id? */
static bool comes_before(const struct strtab *tab, const struct cat_offering *o, uint32_t zone_i,
                         strid id)
{
    if (o->zone_i != zone_i || o->capacity_type != CAT_RESERVED) {
        return o->zone_i < zone_i;
    }
    return strtab_cmp(tab, o->reservation_id, id) < 0;
}

/* The type with one reservation more, or with a smaller count for one that it has. */
static void put(struct cat_type *type, uint32_t zone_i, strid id, uint32_t count,
                const struct strtab *tab, struct arena *arena)
{
    struct cat_offering *v = ARENA_ARRAY(arena, struct cat_offering, type->n_offerings + 1);
    uint32_t at = 0, n = type->n_offerings;
    while (at < n && comes_before(tab, &type->offerings[at], zone_i, id)) {
        v[at] = type->offerings[at];
        at++;
    }
    const bool known = at < n && type->offerings[at].zone_i == zone_i &&
                       type->offerings[at].capacity_type == CAT_RESERVED &&
                       type->offerings[at].reservation_id == id;
    if (known) {
        v[at] = type->offerings[at];
        v[at].reservation_count = count < v[at].reservation_count ? count : v[at].reservation_count;
    } else {
        v[at] = (struct cat_offering){.zone_i = zone_i,
                                      .capacity_type = CAT_RESERVED,
                                      .price = {.has = true, .v = reserved_price(type, zone_i)},
                                      .available = true,
                                      .reservation_id = id,
                                      .reservation_count = count};
    }
    for (uint32_t i = at + known; i < n; i++) {
        v[i + !known] = type->offerings[i];
    }
    type->offerings = v;
    type->n_offerings = n + !known;
}

const struct catalog *cat_with_reservations(const struct catalog *catalog,
                                            const struct aws_nodeclass *classes, uint32_t n_classes,
                                            struct strtab *tab, struct arena *arena)
{
    struct catalog *widened = NULL;
    struct cat_type *types = NULL;
    for (uint32_t c = 0; c < n_classes; c++) {
        for (uint32_t r = 0; r < classes[c].n_reservations; r++) {
            const struct aws_reservation_status *status = &classes[c].reservations[r];
            const struct cat_type *type = cat_find(catalog, tab, status->instance_type);
            const uint32_t zone_i = zone_named(catalog, status->zone);
            if (!status->available.has || type == NULL || zone_i == catalog->n_zones) {
                continue; /* nothing that could be bought */
            }
            if (widened == NULL) {
                widened = ARENA_NEW(arena, struct catalog);
                *widened = *catalog;
                types = ARENA_ARRAY(arena, struct cat_type, catalog->n_types);
                for (uint32_t t = 0; t < catalog->n_types; t++) {
                    types[t] = catalog->types[t];
                }
                widened->types = types;
            }
            put(&types[type - catalog->types], zone_i, strtab_add(tab, status->id),
                (uint32_t)status->available.v, tab, arena);
        }
    }
    return widened == NULL ? catalog : widened;
}
