/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/provisioning/gone.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/strtab.h"

static bool is_of(const struct catalog *catalog, const struct strtab *tab,
                  const struct cat_offering *offering, const struct round_gone *gone)
{
    return str_eq(strtab_str(tab, catalog->zones[offering->zone_i].name), gone->zone) &&
           str_eq(str_of(cat_capacity_type_name(offering->capacity_type)), gone->capacity_type);
}

/* `own`: the type's offerings once they have been copied; NULL before. */
static void take_out(const struct catalog *catalog, const struct strtab *tab, struct cat_type *type,
                     struct cat_offering **own, const struct round_gone *gone, struct arena *arena)
{
    if (*own == NULL && type->n_offerings > 0) {
        *own = ARENA_ARRAY(arena, struct cat_offering, type->n_offerings);
        memcpy(*own, type->offerings, type->n_offerings * sizeof **own);
        type->offerings = *own;
    }
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        if (is_of(catalog, tab, &(*own)[i], gone)) {
            (*own)[i].available = false;
            (*own)[i].retry_at = gone->until;
        }
    }
}

const struct catalog *gone_catalog(const struct catalog *catalog, const struct strtab *tab,
                                   const struct round_gone *gone, uint32_t n_gone,
                                   struct arena *arena)
{
    if (n_gone == 0) {
        return catalog;
    }
    struct cat_type *types = ARENA_ARRAY(arena, struct cat_type, catalog->n_types);
    struct cat_offering **own = ARENA_ARRAY(arena, struct cat_offering *, catalog->n_types);
    struct catalog *less = ARENA_NEW(arena, struct catalog);
    *less = *catalog;
    less->types = types;
    if (catalog->n_types > 0) {
        memcpy(types, catalog->types, catalog->n_types * sizeof *types);
    }
    for (uint32_t g = 0; g < n_gone; g++) {
        const strid name = strtab_find(tab, gone[g].instance_type);
        const struct cat_type *type = name == STRID_NONE ? NULL : cat_find(less, tab, name);
        if (type != NULL) {
            const size_t at = (size_t)(type - less->types);
            take_out(less, tab, &types[at], &own[at], &gone[g], arena);
        }
    }
    return less;
}
