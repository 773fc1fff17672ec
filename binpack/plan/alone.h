/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pod planned alone on an empty cluster: whether anything could ever be bought for it. First fit
 * is enough for one pod, so a trial takes a few milliseconds. */
#pragma once

#include "binpack/plan/make.h"

/* The world of a trial: a cluster, of which only what is no pod and no node counts. */
struct alone {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    const struct make_settings *settings; /* those of the plan; its algorithm is not used */
    const struct k8s_pod *pod;
    const struct k8s_pod_shape *shape;      /* of the pod in the trial */
    const struct karp_nodepool *other_pool; /* in place of the one with index other_pool_i; NULL:
                                               no pool is changed */
    uint32_t other_pool_i;
};

/* Whether the pod gets a place. `ret_node` (may be NULL) is the node then, in `arena`. */
bool alone_has_place(const struct alone *alone, struct arena *arena, struct plan_node *ret_node);
