/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zone that cannot be reached for a while: its nodes are not ready, after five minutes their pods
 * are made anew elsewhere, and nothing can be launched there. The machines run and are paid for; in
 * the end they are there again. */
#include "provisioner/sandbox/world.h"

enum { EVICT_MS = 5 * MINUTE }; /* tolerationSeconds of not-ready and unreachable by default */

bool outage_holds(const struct world *world, struct str zone)
{
    for (size_t i = 0; i < world->outages.n; i++) {
        if (world->now < world->outages.v[i].until &&
            str_eq(text_str(&world->outages.v[i].zone), zone)) {
            return true;
        }
    }
    return false;
}

static void say(struct world *world, const struct outage *outage, const char *ready)
{
    for (size_t i = 0; i < world->instances.n; i++) {
        const struct instance *instance = &world->instances.v[i];
        struct object *node = boot_node(world, instance);
        if (node != NULL && instance->is_ready &&
            str_eq(text_str(&instance->zone), text_str(&outage->zone))) {
            boot_say_ready(world, node, ready);
        }
    }
}

static void evict(struct world *world, const struct outage *outage)
{
    for (size_t i = 0; i < world->instances.n; i++) {
        const struct object *node = boot_node(world, &world->instances.v[i]);
        if (node != NULL &&
            str_eq(text_str(&world->instances.v[i].zone), text_str(&outage->zone))) {
            const struct text name = node->name;
            boot_remove_pods(world, text_str(&name), /* spares_daemons= */ true);
        }
    }
}

void outage_step(struct world *world, const struct scenario_step *step)
{
    if (step->zone_down.n == 0) {
        return;
    }
    VEC_PUSH(&world->arena, &world->outages,
             ((struct outage){.zone = step->zone_down,
                              .from = world->now,
                              .until = sat_add(world->now, step->outage_ms)}));
    say(world, &world->outages.v[world->outages.n - 1], "Unknown");
    world_note(world, "zone " STR_FMT " cannot be reached", STR_ARG(text_str(&step->zone_down)));
}

void outage_beat(struct world *world)
{
    for (size_t i = 0; i < world->outages.n; i++) {
        const struct outage outage = world->outages.v[i];
        if (world->now >= outage.from + EVICT_MS && world->now < outage.from + EVICT_MS + SECOND &&
            world->now < outage.until) {
            evict(world, &outage);
        }
        if (world->now >= outage.until && world->now < outage.until + SECOND) {
            say(world, &outage, "True");
            world_note(world, "zone " STR_FMT " is there again", STR_ARG(text_str(&outage.zone)));
        }
    }
}
