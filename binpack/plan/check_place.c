/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/check_place.h"

#include "base/arena.h"
#include "binpack/plan/check_topology.h"

struct check_places {
    struct k8s_cluster cluster;
    struct plan plan;
    struct check_settings settings;
    struct check_world world;
    struct replay replay;
};

/* As kube-scheduler reads a Node: its deletion is no reason to keep pods off or not to count them.
 */
static const struct k8s_node *as_seen(const struct k8s_cluster *cluster, struct arena *arena)
{
    struct k8s_node *nodes = ARENA_ARRAY(arena, struct k8s_node, cluster->n_nodes);
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        nodes[i] = cluster->nodes[i];
        nodes[i].meta.deleted = (struct opt_wall){.has = false};
    }
    return nodes;
}

bool check_places_new(const struct k8s_cluster *cluster, const struct catalog *catalog,
                      struct arena *arena, struct check_places **ret_places, struct err *err)
{
    struct check_places *places = ARENA_NEW(arena, struct check_places);
    places->cluster = *cluster;
    places->cluster.nodes = as_seen(cluster, arena);
    places->cluster.n_nodepools = 0;
    places->cluster.n_nodeclaims = 0;
    places->cluster.n_overlays = 0;
    places->cluster.n_workloads = 0; /* daemon pods count when they are there */
    places->plan =
        (struct plan){.mode = PLAN_PROVISION, .cluster = &places->cluster, .catalog = catalog};
    if (!check_world_build(&places->plan, &places->settings, arena, &places->world, err)) {
        return false;
    }
    replay_start(&places->world, &places->replay);
    replay_reset(&places->replay);
    *ret_places = places;
    return true;
}

bool check_places_fit(struct check_places *places, uint32_t pod_i, uint32_t node_i)
{
    struct check_world *world = &places->world;
    struct check_node trial = world->nodes[node_i];
    /* Nobody reads why not, and to say it would take longer than to find out. */
    return check_static(world, pod_i, &trial, /* err= */ NULL) &&
           replay_blocked(&places->replay, world->kind_of[pod_i], node_i) == NULL &&
           check_take_room(world, pod_i, &trial, /* err= */ NULL);
}

void check_places_bind(struct check_places *places, uint32_t pod_i, uint32_t node_i)
{
    struct check_world *world = &places->world;
    check_occupy(world, pod_i, &world->nodes[node_i]);
    replay_place(&places->replay, world->kind_of[pod_i], node_i);
    world->node_of[pod_i] = node_i;
}

int64_t check_places_used(const struct check_places *places, uint32_t node_i, strid resource)
{
    return check_amounts_get(&places->world.nodes[node_i].used, resource);
}
