/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/disrupt_world.h"

#include "base/arena.h"
#include "base/strtab.h"
#include "binpack/plan/assemble.h"

static void find_homes(struct disrupt_world *w)
{
    struct strtab *names = strtab_new(w->arena);
    uint32_t *of_name = ARENA_ARRAY(w->arena, uint32_t, w->nodes.n + 1);
    w->home = ARENA_ARRAY(w->arena, uint32_t, w->cluster->n_pods);
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        if (w->nodes.v[i].node_i != SCHED_NONE) {
            of_name[strtab_add(names, w->nodes.v[i].name)] = i;
        }
    }
    for (uint32_t i = 0; i < w->cluster->n_pods; i++) {
        struct str name = w->cluster->pods[i].node_name;
        strid id = name.n == 0 ? STRID_NONE : strtab_find(names, name);
        w->home[i] = id == STRID_NONE ? NO_NODE : of_name[id];
    }
}

static void find_spot(struct disrupt_world *w)
{
    const struct sched_offers *offers = w->base->offers;
    w->sells_spot = ARENA_ARRAY(w->arena, bool, w->cluster->n_nodepools);
    for (uint32_t i = 0; i < offers->n; i++) {
        uint32_t variant = offers->cells[offers->v[i].cell_i].variant_i;
        uint32_t pool = w->snapshot->pools[offers->variants.v[variant].pool_i].pool_i;
        w->sells_spot[pool] = w->sells_spot[pool] || offers->v[i].capacity_type == CAT_SPOT;
    }
}

static bool some_pods_look(const struct k8s_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->n_shapes; i++) {
        const struct k8s_pod_shape *shape = cluster->shapes[i];
        bool looks = shape->n_affinity + shape->n_anti_affinity > 0;
        for (uint32_t k = 0; k < shape->n_spread; k++) {
            looks = looks || !shape->spread[k].schedule_anyway;
        }
        if (looks) {
            return true;
        }
    }
    return false;
}

struct disrupt_settings disrupt_rules(const struct make_settings *settings,
                                      const struct disrupt_options *options)
{
    return (struct disrupt_settings){.now = settings->now,
                                     .detect_drift = options->detect_drift,
                                     .respect_safe_to_evict = options->respect_safe_to_evict,
                                     .reasons = options->reasons};
}

bool disrupt_world_new(struct disrupt_world *w, struct err *err)
{
    struct sched_settings settings = make_sched_settings(w->settings);
    struct disrupt_settings rules = disrupt_rules(w->settings, w->options);
    if (!sched_snapshot_new(w->cluster, w->catalog, &settings, /* leave= */ NULL, w->arena,
                            &w->snapshot, err) ||
        !sched_base_new(w->snapshot, w->arena, &w->base, err)) {
        return false;
    }
    disrupt_nodes_new(w->base->offers, &rules, w->arena, &w->nodes);
    w->allowed = arena_calloc(w->arena, w->cluster->n_nodepools, sizeof *w->allowed);
    disrupt_allowances(w->cluster, &w->nodes, w->settings->now, w->allowed);
    find_homes(w);
    find_spot(w);
    w->has_rules = some_pods_look(w->cluster);
    w->held = ARENA_ARRAY(w->arena, uint8_t, w->nodes.n);
    w->banned = ARENA_ARRAY(w->arena, bool, w->nodes.n);
    w->ban_why = ARENA_ARRAY(w->arena, const char *, w->nodes.n);
    w->move_charge = muldiv_ceil(w->options->move_cost, 3600 * 1000, w->options->payback_ms);
    return true;
}
