/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be had of EC2, and at what price. */
#include <string.h>

#include "binpack/catalog/builtin.h"
#include "provisioner/sandbox/world.h"

static bool is_any_or(const struct text *wanted, struct str value)
{
    return wanted->n == 0 || str_eq(text_str(wanted), value);
}

static bool is_of(const struct offerings *of, struct str type, struct str zone,
                  struct str capacity_type)
{
    return is_any_or(&of->type, type) && is_any_or(&of->zone, zone) &&
           is_any_or(&of->capacity_type, capacity_type);
}

bool market_is_dry(const struct world *world, struct str type, struct str zone,
                   struct str capacity_type)
{
    for (size_t i = 0; i < world->droughts.n; i++) {
        const struct drought *d = &world->droughts.v[i];
        if (world->now < d->until && is_of(&d->of, type, zone, capacity_type)) {
            return true;
        }
    }
    return outage_holds(world, zone);
}

static struct opt_usd moved(const struct world *world, struct opt_usd price, struct str type,
                            struct str zone, struct str capacity_type)
{
    for (size_t i = 0; price.has && i < world->price_moves.n; i++) {
        const struct price_move *m = &world->price_moves.v[i];
        if (world->now < m->until && is_of(&m->of, type, zone, capacity_type)) {
            price.v = muldiv_floor(price.v, m->per_cent, 100);
        }
    }
    return price;
}

struct opt_usd market_price(const struct world *world, struct str type, struct str zone,
                            struct str capacity_type)
{
    const struct strtab *tab = k8s_state_tab(world->truth);
    const strid name = strtab_find(tab, type);
    const struct cat_type *t = name == STRID_NONE ? NULL : cat_find(world->catalog, tab, name);
    for (uint32_t i = 0; t != NULL && i < t->n_offerings; i++) {
        const struct cat_offering *o = &t->offerings[i];
        if (str_eq(strtab_str(tab, world->catalog->zones[o->zone_i].name), zone) &&
            str_eq(str_of(cat_capacity_type_name(o->capacity_type)), capacity_type)) {
            return moved(world, o->price, type, zone, capacity_type);
        }
    }
    return (struct opt_usd){.has = false};
}

static const struct cat_offering *priced(const struct world *world, const struct catalog *catalog,
                                         const struct strtab *tab, const struct cat_type *type,
                                         struct arena *arena)
{
    struct cat_offering *offerings = ARENA_ARRAY(arena, struct cat_offering, type->n_offerings);
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        offerings[i] = *o;
        offerings[i].price = moved(world, o->price, strtab_str(tab, type->name),
                                   strtab_str(tab, catalog->zones[o->zone_i].name),
                                   str_of(cat_capacity_type_name(o->capacity_type)));
    }
    return offerings;
}

const struct catalog *market_catalog(const struct world *world, struct strtab *tab,
                                     struct arena *arena)
{
    const size_t n = world->scenario.families.n;
    struct str *families = ARENA_ARRAY(arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        families[i] = text_str(&world->scenario.families.v[i]);
    }
    const struct catalog *catalog = cat_builtin_families(families, n, arena, tab);
    if (world->price_moves.n == 0) {
        return catalog;
    }
    struct cat_type *types = ARENA_ARRAY(arena, struct cat_type, catalog->n_types);
    struct catalog *now = ARENA_NEW(arena, struct catalog);
    *now = *catalog;
    now->types = types;
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        types[t] = catalog->types[t];
        types[t].offerings = priced(world, catalog, tab, &catalog->types[t], arena);
    }
    return now;
}

/* Spot is paid at the price of the hour. */
static void reprice(struct world *world)
{
    for (size_t i = 0; i < world->instances.n; i++) {
        struct instance *instance = &world->instances.v[i];
        if (ec2_is_alive(instance) && str_eq(text_str(&instance->capacity_type), STR("spot"))) {
            const struct opt_usd price =
                market_price(world, text_str(&instance->type), text_str(&instance->zone),
                             text_str(&instance->capacity_type));
            instance->price = price.has ? price.v : instance->price;
        }
    }
    world->prices_moved = true;
}

void market_step(struct world *world, const struct scenario_step *step)
{
    if (step->dry_ms > 0) {
        world_note(world, "no capacity: " STR_FMT " " STR_FMT " " STR_FMT,
                   STR_ARG(text_str(&step->dry.type)), STR_ARG(text_str(&step->dry.zone)),
                   STR_ARG(text_str(&step->dry.capacity_type)));
        VEC_PUSH(&world->arena, &world->droughts,
                 ((struct drought){.of = step->dry, .until = sat_add(world->now, step->dry_ms)}));
    }
    if (step->price_ms > 0) {
        world_note(world, "prices: " STR_FMT " at %lld %%",
                   STR_ARG(text_str(&step->priced.capacity_type)), (long long)step->price_per_cent);
        VEC_PUSH(&world->arena, &world->price_moves,
                 ((struct price_move){.of = step->priced,
                                      .per_cent = step->price_per_cent,
                                      .until = sat_add(world->now, step->price_ms)}));
        reprice(world);
    }
}

void market_beat(struct world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->price_moves.n; i++) {
        if (world->now < world->price_moves.v[i].until) {
            world->price_moves.v[kept++] = world->price_moves.v[i];
        }
    }
    if (kept < world->price_moves.n) {
        world->price_moves.n = kept;
        reprice(world);
    }
}
