/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/scheduling/reqs.h"
#include "binpack/scheduling/terms.h"

typedef VEC(struct k8s_pair) pair_list;

static void add_pair(struct arena *arena, pair_list *pairs, struct k8s_pair pair)
{
    size_t at = pairs->n;
    while (at > 0 && pairs->v[at - 1].key > pair.key) {
        at--;
    }
    if (at > 0 && pairs->v[at - 1].key == pair.key) {
        return; /* equal for all that select the pod */
    }
    VEC_PUSH(arena, pairs, pair);
    for (size_t i = pairs->n - 1; i > at; i--) {
        pairs->v[i] = pairs->v[i - 1];
    }
    pairs->v[at] = pair;
}

/* Services of the namespace that select the pod; one without a selector selects nothing. */
static void add_services(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                         struct arena *arena, pair_list *pairs)
{
    for (uint32_t i = 0; i < cluster->n_services; i++) {
        const struct k8s_service *service = &cluster->services[i];
        bool selects = service->meta.ns == pod->ns && service->selector.n > 0;
        for (uint32_t k = 0; selects && k < service->selector.n; k++) {
            selects = k8s_pairs_get(&pod->shape->labels, service->selector.v[k].key) ==
                      service->selector.v[k].value;
        }
        for (uint32_t k = 0; selects && k < service->selector.n; k++) {
            add_pair(arena, pairs, service->selector.v[k]);
        }
    }
}

static const struct k8s_workload *owner_of(const struct k8s_cluster *cluster,
                                           const struct k8s_pod *pod)
{
    static const struct {
        enum k8s_workload_kind kind;
        const char *name;
    } kinds[] = {{K8S_REPLICASET, "ReplicaSet"},
                 {K8S_STATEFULSET, "StatefulSet"},
                 {K8S_REPLICATIONCONTROLLER, "ReplicationController"}};
    const struct str owner_kind = strtab_str(cluster->tab, pod->shape->owner_kind);
    for (uint32_t i = 0; i < cluster->n_workloads; i++) {
        const struct k8s_workload *workload = &cluster->workloads[i];
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            if (workload->kind == kinds[k].kind && workload->meta.ns == pod->ns &&
                str_eq(owner_kind, str_of(kinds[k].name)) &&
                str_eq(workload->meta.name, pod->owner_name)) {
                return workload;
            }
        }
    }
    return NULL;
}

void sched_default_spread(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                          uint32_t n_defaults, const struct k8s_spread *defaults,
                          struct arena *arena, const struct k8s_spread **ret_spread,
                          uint32_t *ret_n)
{
    *ret_spread = NULL;
    *ret_n = 0;
    if (pod->shape->n_spread > 0 || n_defaults == 0) {
        return;
    }
    pair_list pairs = {0};
    add_services(cluster, pod, arena, &pairs);
    const struct k8s_workload *owner = owner_of(cluster, pod);
    struct k8s_selector selector = {.present = true};
    if (owner != NULL) {
        for (uint32_t i = 0; i < owner->selector.match_labels.n; i++) {
            add_pair(arena, &pairs, owner->selector.match_labels.v[i]);
        }
        selector.n_expressions = owner->selector.n_expressions;
        selector.expressions = owner->selector.expressions;
    }
    selector.match_labels = (struct k8s_pairs){.n = (uint32_t)pairs.n, .v = pairs.v};
    if (pairs.n == 0 && selector.n_expressions == 0) {
        return;
    }
    struct k8s_spread *spread = ARENA_ARRAY(arena, struct k8s_spread, n_defaults);
    for (uint32_t i = 0; i < n_defaults; i++) {
        spread[i] = defaults[i];
        spread[i].selector = selector;
    }
    *ret_spread = spread;
    *ret_n = n_defaults;
}

/* The shape of a pod with the default constraints; shapes of one workload are made once. */
static const struct k8s_pod_shape *spread_shape(const struct k8s_cluster *cluster,
                                                const struct k8s_pod *pod, uint32_t n_defaults,
                                                const struct k8s_spread *defaults, uint32_t id,
                                                struct arena *arena)
{
    const struct k8s_spread *spread = NULL;
    uint32_t n = 0;
    sched_default_spread(cluster, pod, n_defaults, defaults, arena, &spread, &n);
    if (n == 0) {
        return pod->shape;
    }
    struct k8s_pod_shape *shape = ARENA_NEW(arena, struct k8s_pod_shape);
    *shape = *pod->shape;
    shape->id = id;
    shape->spread = spread;
    shape->n_spread = n;
    return shape;
}

const struct k8s_cluster *sched_cluster_spread(const struct k8s_cluster *cluster,
                                               uint32_t n_defaults,
                                               const struct k8s_spread *defaults,
                                               struct arena *arena)
{
    if (n_defaults == 0) {
        return cluster;
    }
    struct k8s_cluster *with = ARENA_NEW(arena, struct k8s_cluster);
    struct k8s_pod *pods = ARENA_ARRAY(arena, struct k8s_pod, cluster->n_pods);
    VEC(const struct k8s_pod_shape *) shapes = {0}, made = {0}; /* made: by what tells them apart */
    struct strtab *known = strtab_new(arena);
    for (uint32_t i = 0; i < cluster->n_shapes; i++) {
        VEC_PUSH(arena, &shapes, cluster->shapes[i]);
    }
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        struct strbuf key = strbuf_new(arena, 4096);
        pods[i] = cluster->pods[i];
        strbuf_add(&key,
                   (struct str){.p = (const char *)&pods[i].shape, .n = sizeof pods[i].shape});
        strbuf_add(&key, (struct str){.p = (const char *)&pods[i].ns, .n = sizeof pods[i].ns});
        strbuf_add(&key, pods[i].owner_name);
        const strid at = strtab_add(known, strbuf_str(&key)) - 1;
        if (at == made.n) {
            const struct k8s_pod_shape *shape =
                spread_shape(cluster, &pods[i], n_defaults, defaults, (uint32_t)shapes.n, arena);
            VEC_PUSH(arena, &made, shape);
            if (shape != pods[i].shape) {
                VEC_PUSH(arena, &shapes, shape);
            }
        }
        pods[i].shape = made.v[at];
    }
    *with = *cluster;
    with->pods = pods;
    with->shapes = shapes.v;
    with->n_shapes = (uint32_t)shapes.n;
    return with;
}
