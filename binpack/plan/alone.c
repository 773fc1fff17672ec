/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/alone.h"

#include "base/arena.h"

enum { TRIAL_WORK = 20000 };

/* The cluster with the pod alone, and no node. */
static struct k8s_cluster empty_cluster(const struct alone *alone, struct arena *arena)
{
    struct k8s_cluster cluster = *alone->cluster;
    struct k8s_pod *pod = ARENA_NEW(arena, struct k8s_pod);
    struct k8s_pod_shape *shape = ARENA_NEW(arena, struct k8s_pod_shape);
    const struct k8s_pod_shape **shapes = ARENA_ARRAY(arena, const struct k8s_pod_shape *, 1);
    struct karp_nodepool *pools = ARENA_ARRAY(arena, struct karp_nodepool, cluster.n_nodepools + 1);
    *shape = *alone->shape;
    shape->id = 0;
    shapes[0] = shape;
    *pod = *alone->pod;
    pod->shape = shape;
    for (uint32_t i = 0; i < cluster.n_nodepools; i++) {
        bool other = alone->other_pool != NULL && i == alone->other_pool_i;
        pools[i] = other ? *alone->other_pool : cluster.nodepools[i];
    }
    cluster.pods = pod;
    cluster.n_pods = 1;
    cluster.shapes = shapes;
    cluster.n_shapes = 1;
    cluster.nodepools = pools;
    cluster.n_nodes = cluster.n_nodeclaims = cluster.n_buffers = cluster.n_attachments = 0;
    return cluster;
}

bool alone_has_place(const struct alone *alone, struct arena *arena, struct plan_node *ret_node)
{
    struct make_settings settings = *alone->settings;
    struct k8s_cluster *cluster = ARENA_NEW(arena, struct k8s_cluster);
    struct make *make = NULL;
    struct plan *plan = NULL;
    struct err ignored;
    *cluster = empty_cluster(alone, arena);
    settings.mode = PLAN_PROVISION;
    settings.leave = NULL;
    settings.n_explain = 0;
    settings.emulates = PLAN_OWN;
    settings.solver.algorithm = BP_FFD;
    settings.solver.parallel = NULL;
    settings.options_max = 1;
    if (!make_new(cluster, alone->catalog, &settings, &make, &ignored)) {
        return false;
    }
    while (make_step(make, TRIAL_WORK)) {
    }
    bool good = make_finish(make, arena, &plan, &ignored) && plan->n_nodes == 1;
    make_free(make);
    if (good && ret_node != NULL) {
        *ret_node = plan->nodes[0];
    }
    return good;
}
