/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kube-scheduler: filters (ready, taints, node selector and affinity, room), then the node with the
 * most room left (NodeResourcesFit, LeastAllocated), by name where that is equal. */
#include "base/rfc3339.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/reqs.h"
#include "binpack/scheduling/resources.h"
#include "binpack/scheduling/taints.h"
#include "provisioner/sandbox/world.h"

struct room {
    const struct k8s_node *node;
    struct k8s_resources free;
};

static bool is_ready(const struct world *world, const struct k8s_node *node)
{
    const struct k8s_words *words = k8s_state_words(world->truth);
    const struct k8s_condition *ready = k8s_conditions_find(&node->conditions, words->ready);
    return ready != NULL && ready->status == words->s_true && !node->unschedulable;
}

static struct room *rooms_of(struct world *world, struct arena *arena, uint32_t *ret_n)
{
    const uint32_t n = k8s_state_count(world->truth, STORE_NODES);
    struct room *rooms = ARENA_ARRAY(arena, struct room, n);
    for (uint32_t i = 0; i < n; i++) {
        rooms[i].node = k8s_state_at(world->truth, STORE_NODES, i);
        rooms[i].free = rooms[i].node->allocatable;
    }
    for (uint32_t p = 0; p < k8s_state_count(world->truth, STORE_PODS); p++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, p);
        for (uint32_t i = 0; i < n && pod->node_name.n > 0 && !sched_pod_finished(pod); i++) {
            if (str_eq(rooms[i].node->meta.name, pod->node_name)) {
                rooms[i].free = sched_resources_less(
                    arena, rooms[i].free, sched_shape_requests(&world->words, arena, pod->shape));
                break;
            }
        }
    }
    *ret_n = n;
    return rooms;
}

static bool fits(const struct world *world, const struct room *room, const struct k8s_pod *pod,
                 struct k8s_resources requests)
{
    return is_ready(world, room->node) &&
           sched_untolerated(pod->shape->n_tolerations, pod->shape->tolerations,
                             room->node->n_taints, room->node->taints, false) == NULL &&
           sched_match_node(world->vocab, pod->shape, &room->node->meta.labels,
                            room->node->meta.name) &&
           sched_resources_fit(requests, room->free, NULL);
}

/* Per cent of CPU and memory that would stay free. */
static int64_t score(const struct world *world, const struct room *room,
                     struct k8s_resources requests)
{
    const struct k8s_words *words = k8s_state_words(world->truth);
    const strid both[] = {words->cpu, words->memory};
    int64_t sum = 0;
    for (int i = 0; i < 2; i++) {
        const int64_t all = k8s_resources_get(&room->node->allocatable, both[i]);
        const int64_t left =
            sat_sub(k8s_resources_get(&room->free, both[i]), k8s_resources_get(&requests, both[i]));
        sum += all > 0 ? muldiv_floor(left, 100, all) : 0;
    }
    return sum / 2;
}

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

static struct room *best_for(const struct world *world, struct room *rooms, uint32_t n,
                             const struct k8s_pod *pod, struct k8s_resources requests)
{
    struct room *best = NULL;
    int64_t best_score = 0;
    for (uint32_t i = 0; i < n; i++) {
        const int64_t its =
            fits(world, &rooms[i], pod, requests) ? score(world, &rooms[i], requests) : -1;
        if (its >= 0 &&
            (best == NULL || its > best_score ||
             (its == best_score && str_cmp(rooms[i].node->meta.name, best->node->meta.name) < 0))) {
            best = &rooms[i];
            best_score = its;
        }
    }
    return best;
}

void sched_beat(struct world *world)
{
    auto_arena arena = ARENA_INIT;
    uint32_t n = 0;
    if (!world->pods_moved) {
        return;
    }
    world->pods_moved = false;
    struct room *rooms = rooms_of(world, &arena, &n);
    /* Names first: binding moves what the state holds. */
    VEC(struct k8s_identity) waiting = {0};
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        if (pod->node_name.n == 0 && !pod->deleted.has) {
            const struct str ns = strtab_str(k8s_state_tab(world->truth), pod->ns);
            VEC_PUSH(&arena, &waiting,
                     ((struct k8s_identity){.ns = str_copy(&arena, ns),
                                            .name = str_copy(&arena, pod->name)}));
        }
    }
    for (size_t i = 0; i < waiting.n; i++) {
        const struct k8s_kind *kind = world_kind("Pod");
        const struct k8s_pod *pod = k8s_state_find(world->truth, kind, &waiting.v[i]);
        struct object *object = objects_find(world, kind, waiting.v[i].ns, waiting.v[i].name);
        const struct k8s_resources requests =
            sched_shape_requests(&world->words, &arena, pod->shape);
        struct room *room = best_for(world, rooms, n, pod, requests);
        if (room != NULL) {
            room->free = sched_resources_less(&arena, room->free, requests);
            bind(world, object, room->node->meta.name);
        } else {
            say_unschedulable(world, object);
        }
    }
}
