/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kube-scheduler: the filters of the placement checker (check_place.h), then the node with the best
 * mean of NodeResourcesFit (LeastAllocated) and NodeResourcesBalancedAllocation, by name where that
 * is equal. Pods of higher priority first, then as they came. */
#include <stdlib.h>

#include "binpack/plan/check_place.h"
#include "binpack/scheduling/eligibility.h"
#include "k8s/builder.h"
#include "provisioner/sandbox/world.h"

struct round {
    struct world *world;
    struct arena arena;
    const struct k8s_cluster *cluster;
    struct check_places *places;
    uint32_t n_waiting;
    uint32_t *waiting; /* [n_waiting] into cluster->pods */
};

/* Per cent of the node that would stay free, and how evenly CPU and memory would be taken. */
static int64_t score(const struct round *round, const struct k8s_node *node, uint32_t node_i)
{
    const struct k8s_words *words = &round->cluster->words;
    const strid both[] = {words->cpu, words->memory};
    int64_t free[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        const int64_t all = k8s_resources_get(&node->allocatable, both[i]);
        const int64_t left = sat_sub(all, check_places_used(round->places, node_i, both[i]));
        free[i] = all > 0 && left > 0 ? muldiv_floor(left, 100, all) : 0;
    }
    const int64_t apart = free[0] > free[1] ? free[0] - free[1] : free[1] - free[0];
    return (free[0] + free[1]) / 2 + 100 - apart;
}

static uint32_t best_for(const struct round *round, uint32_t pod_i)
{
    const struct k8s_cluster *cluster = round->cluster;
    uint32_t best = UINT32_MAX;
    int64_t best_score = 0;
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        if (!check_places_fit(round->places, pod_i, i)) {
            continue;
        }
        const int64_t its = score(round, &cluster->nodes[i], i);
        if (best == UINT32_MAX || its > best_score ||
            (its == best_score &&
             str_cmp(cluster->nodes[i].meta.name, cluster->nodes[best].meta.name) < 0)) {
            best = i;
            best_score = its;
        }
    }
    return best;
}

/* ---- what is said of a pod ---- */

static void set_condition(json_t *value, const char *status, const char *reason, bool running)
{
    json_t *conditions = json_array();
    (void)json_array_append_new(conditions, json_pack("{s:s,s:s,s:s}", "type", "PodScheduled",
                                                      "status", status, "reason", reason));
    if (running) {
        (void)json_array_append_new(conditions,
                                    json_pack("{s:s,s:s}", "type", "Ready", "status", "True"));
    }
    (void)json_object_set_new(
        value, "status",
        json_pack("{s:s,s:o}", "phase", running ? "Running" : "Pending", "conditions", conditions));
}

static void bind(struct world *world, struct object *object, struct str node)
{
    json_t *value = json_deep_copy(object->value);
    (void)json_object_set_new(json_object_get(value, "spec"), "nodeName",
                              json_stringn(node.p, node.n));
    set_condition(value, "True", "", true);
    objects_put(world, object, value);
}

static void say_unschedulable(struct world *world, struct object *object)
{
    if (json_object_get(object->value, "status") == NULL) {
        json_t *value = json_deep_copy(object->value);
        set_condition(value, "False", "Unschedulable", false);
        objects_put(world, object, value);
    }
}

static void count_wait(struct world *world, const struct k8s_pod *pod)
{
    struct sandbox_report *r = &world->report;
    const int64_t waited = pod->created.has ? world_moment(world).wall - pod->created.v : 0;
    if (waited > 0 && waited < 365 * 24 * (int64_t)HOUR) { /* The clock may have jumped. */
        r->waited_ms = sat_add(r->waited_ms, waited);
        r->waited_most_ms = waited > r->waited_most_ms ? waited : r->waited_most_ms;
    }
    r->n_waits++;
}

/* ---- a round ---- */

static int by_priority(const void *a, const void *b)
{
    const struct k8s_pod *const *x = a, *const *y = b;
    const int32_t p = (*x)->shape->priority.v, q = (*y)->shape->priority.v;
    return p != q ? (p > q ? -1 : 1) : (*x > *y) - (*x < *y);
}

static void list_waiting(struct round *round)
{
    const struct k8s_cluster *cluster = round->cluster;
    const struct k8s_pod **pods =
        ARENA_ARRAY(&round->arena, const struct k8s_pod *, cluster->n_pods);
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        const struct k8s_pod *pod = &cluster->pods[i];
        if (pod->node_name.n == 0 && !pod->deleted.has && pod->shape->n_scheduling_gates == 0 &&
            !sched_pod_finished(pod)) {
            pods[round->n_waiting++] = pod;
        }
    }
    qsort(pods, round->n_waiting, sizeof *pods, by_priority);
    round->waiting = ARENA_ARRAY(&round->arena, uint32_t, round->n_waiting);
    for (uint32_t i = 0; i < round->n_waiting; i++) {
        round->waiting[i] = (uint32_t)(pods[i] - cluster->pods);
    }
}

/* One that has found no place speaks for those of its kind behind it, unless it has volumes of its
 * own: nothing gets freer while pods are bound. (With affinity to each other it can.) */
static bool is_hopeless(const struct k8s_pod *pod, const struct k8s_pod *failed)
{
    return failed != NULL && pod->shape == failed->shape && pod->ns == failed->ns &&
           pod->shape->n_volumes + pod->shape->n_affinity == 0;
}

static void place(struct round *round)
{
    struct world *world = round->world;
    const struct k8s_pod *failed = NULL;
    for (uint32_t i = 0; i < round->n_waiting; i++) {
        const struct k8s_pod *pod = &round->cluster->pods[round->waiting[i]];
        const struct str ns = strtab_str(round->cluster->tab, pod->ns);
        const struct k8s_kind *kind = world_kind_of(STORE_PODS);
        const uint32_t node_i =
            is_hopeless(pod, failed) ? UINT32_MAX : best_for(round, round->waiting[i]);
        if (node_i == UINT32_MAX) {
            failed = pod;
            say_unschedulable(world, objects_find(world, kind, ns, pod->name));
            continue;
        }
        check_places_bind(round->places, round->waiting[i], node_i);
        count_wait(world, pod);
        volume_make(world, round->cluster, pod, &round->cluster->nodes[node_i]);
        /* Only now: objects move when others are made. */
        bind(world, objects_find(world, kind, ns, pod->name),
             round->cluster->nodes[node_i].meta.name);
        failed = NULL; /* Spread may allow now what it did not. */
    }
}

static bool some_wait(const struct world *world)
{
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        if (pod->node_name.n == 0 && !pod->deleted.has) {
            return true;
        }
    }
    return false;
}

void sched_beat(struct world *world)
{
    struct round round = {.world = world, .arena = ARENA_INIT};
    struct k8s_frozen frozen;
    struct err err;
    if (!world->places_moved) {
        return;
    }
    world->places_moved = false;
    if (!some_wait(world)) {
        return;
    }
    k8s_state_freeze(world->truth, &frozen, NULL);
    round.cluster = k8s_builder_finish(k8s_frozen_builder(&frozen, &round.arena));
    list_waiting(&round);
    if (check_places_new(round.cluster, world->catalog, &round.arena, &round.places, &err)) {
        place(&round);
    } else {
        world->report.broken = true;
        world->report.breach = err;
    }
    k8s_state_thaw(world->truth);
    arena_done(&round.arena);
}
