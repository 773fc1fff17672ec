/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/check.h"

#include "base/arena.h"
#include "binpack/plan/check_world.h"

#define POD_FMT       STR_FMT "/" STR_FMT
#define POD_ARG(w, p) STR_ARG(strtab_str((w)->tab, (p)->ns)), STR_ARG((p)->name)

struct where {
    uint32_t *target; /* [n_pods] node index, UINT32_MAX */
    bool *unplaced;   /* [n_pods] */
    bool *stuck;      /* [n_pods] cannot be there */
};

static bool claim_pod(const struct check_world *world, struct where *where, uint32_t pod,
                      uint32_t node, struct err *err)
{
    if (pod >= world->cluster->n_pods) {
        return err_set(err, ERR_INTERNAL, "the plan names pod number %u of %u", pod,
                       world->cluster->n_pods);
    }
    const struct k8s_pod *p = &world->cluster->pods[pod];
    if (where->target[pod] != UINT32_MAX || where->unplaced[pod]) {
        return err_set(err, ERR_INTERNAL, "pod " POD_FMT " is in the plan twice",
                       POD_ARG(world, p));
    }
    if (!check_pod_needs_place(world, pod)) {
        return err_set(err, ERR_INTERNAL,
                       "pod " POD_FMT " needs no place, but the plan gives it one",
                       POD_ARG(world, p));
    }
    where->target[pod] = node;
    where->unplaced[pod] = node == UINT32_MAX;
    return true;
}

static bool collect(const struct check_world *world, struct where *where, struct err *err)
{
    const struct plan *plan = world->plan;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        for (uint32_t k = 0; k < plan->nodes[i].n_pods; k++) {
            if (!claim_pod(world, where, plan->nodes[i].pods[k], world->n_running + i, err)) {
                return false;
            }
        }
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        uint32_t node = check_find_node(world, plan->existing[i].node);
        if (node == UINT32_MAX && plan->existing[i].n_pods > 0) {
            return err_set(err, ERR_INTERNAL,
                           "the plan puts pods on node " STR_FMT
                           ", which does not exist or is going away",
                           STR_ARG(plan->existing[i].node));
        }
        for (uint32_t k = 0; k < plan->existing[i].n_pods; k++) {
            if (!claim_pod(world, where, plan->existing[i].pods[k], node, err)) {
                return false;
            }
        }
    }
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        if (!claim_pod(world, where, plan->unplaced[i].pod, UINT32_MAX, err)) {
            return false;
        }
    }
    return true;
}

/* Static filters once for each (node, kind) where no volume makes a pod special, room for each pod.
 */
static bool place_all(struct check_world *world, const struct where *where, struct err *err)
{
    uint32_t *seen_on = ARENA_ARRAY(world->arena, uint32_t,
                                    world->n_kinds); /* node index + 1 of the last static check */
    for (uint32_t pass = 0; pass < 2; pass++) {
        const struct plan *plan = world->plan;
        uint32_t n = pass == 0 ? plan->n_nodes : plan->n_existing;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t *pods = pass == 0 ? plan->nodes[i].pods : plan->existing[i].pods;
            uint32_t n_pods = pass == 0 ? plan->nodes[i].n_pods : plan->existing[i].n_pods;
            for (uint32_t k = 0; k < n_pods; k++) {
                uint32_t kind = world->kind_of[pods[k]], node = where->target[pods[k]];
                bool known = seen_on[kind] == node + 1 && world->kinds[kind].shape->n_volumes == 0;
                if ((!known && !check_static(world, pods[k], &world->nodes[node], err)) ||
                    !check_take_room(world, pods[k], &world->nodes[node], err)) {
                    where->stuck[pods[k]] = true;
                    return false;
                }
                seen_on[kind] = node + 1;
            }
        }
    }
    return true;
}

static bool nobody_forgotten(const struct check_world *world, const struct where *where,
                             struct err *err)
{
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &world->cluster->pods[i];
        bool known = where->target[i] != UINT32_MAX || where->unplaced[i];
        if (!known && world->settings->complete && check_pod_needs_place(world, i) &&
            !check_refuses_managed(world, i)) {
            return err_set(err, ERR_INTERNAL,
                           "pod " POD_FMT " needs a place and is neither placed nor reported",
                           POD_ARG(world, pod));
        }
    }
    return true;
}

bool check_plan(const struct plan *plan, const struct check_settings *settings,
                struct arena *scratch, struct err *err)
{
    struct arena_mark mark = arena_mark(scratch);
    bool *stuck = ARENA_ARRAY(scratch, bool, plan->cluster->n_pods);
    bool good = check_plan_stuck(plan, settings, scratch, stuck, err);
    arena_rewind(scratch, mark);
    return good;
}

bool check_plan_stuck(const struct plan *plan, const struct check_settings *settings,
                      struct arena *scratch, bool *ret_stuck, struct err *err)
{
    struct arena_mark mark = arena_mark(scratch);
    struct check_world world;
    struct where where = {.target = ARENA_ARRAY(scratch, uint32_t, plan->cluster->n_pods),
                          .unplaced = ARENA_ARRAY(scratch, bool, plan->cluster->n_pods),
                          .stuck = ret_stuck};
    for (uint32_t i = 0; i < plan->cluster->n_pods; i++) {
        where.target[i] = UINT32_MAX;
    }
    bool good = check_world_build(plan, settings, scratch, &world, err) &&
                collect(&world, &where, err) && nobody_forgotten(&world, &where, err) &&
                place_all(&world, &where, err) &&
                check_shared_claims(&world, where.target, ret_stuck, err) &&
                check_replay(&world, where.target, ret_stuck, err) &&
                check_new_nodes(&world, err) && check_disruption(&world, where.target, err) &&
                check_moments(&world, where.target, ret_stuck, err) &&
                check_spot(plan, &settings->spot, scratch, err);
    arena_rewind(scratch, mark);
    return good;
}
