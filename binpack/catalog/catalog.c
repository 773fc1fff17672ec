/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/catalog.h"

#include <stddef.h>

const struct cat_type *cat_find(const struct catalog *catalog, const struct strtab *tab, strid name)
{
    uint32_t low = 0, high = catalog->n_types;
    if (name == STRID_NONE) {
        return NULL;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strtab_cmp(tab, catalog->types[middle].name, name);
        if (order == 0) {
            return &catalog->types[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const char *cat_capacity_type_name(enum cat_capacity_type type)
{
    switch (type) {
    case CAT_RESERVED:
        return "reserved";
    case CAT_SPOT:
        return "spot";
    case CAT_ON_DEMAND:
        return "on-demand";
    }
    return "";
}

struct opt_usd cat_type_on_demand_price(const struct cat_type *type)
{
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        if (type->offerings[i].capacity_type == CAT_ON_DEMAND && type->offerings[i].price.has) {
            return type->offerings[i].price;
        }
    }
    return (struct opt_usd){.has = false};
}
