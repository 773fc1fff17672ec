/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sentences of reasons.h. All texts are in the plan's arena. */
#pragma once

#include "binpack/plan/assemble.h"

struct explainer {
    struct assembly *a;
    const struct sched_snapshot *s;
    const struct sched_offers *offers;
    const struct sched_dims *dims;
    struct arena *scratch;
    struct sched_needs needs; /* of the pods without a place, all preferences dropped */
    struct sched_masks masks;
};

/* Does some node of some pool or a running node have the label? */
bool reason_key_known(const struct explainer *x, strid key);

/* "NodePool has no node with karpenter.sh/capacity-type In [ondemand]: it offers on-demand, spot
 * (did you mean on-demand?)" */
struct str reason_label_text(const struct explainer *x, const struct sched_req *req,
                             uint32_t pool_i);

/* Names the volumes and where they can be used. */
struct str reason_volume_text(const struct explainer *x, const struct sched_need *need,
                              uint32_t pool_i);

struct str reason_taint_text(const struct explainer *x, const struct sched_need *need,
                             const struct k8s_taint *taint);

/* The resources that no admitted type has enough of, and how much the largest has; or the nearest
 * type when only the combination fails. */
struct str reason_room_text(const struct explainer *x, uint32_t need_i, const int64_t *size,
                            uint32_t pool_i);

/* The limit that even the smallest node for the pod exceeds. */
struct str reason_limit_text(const struct explainer *x, uint32_t need_i, const int64_t *size,
                             uint32_t pool_i);

/* The requirement with minValues that the types which hold the pod do not meet. */
struct str reason_variety_text(const struct explainer *x, uint32_t need_i, const int64_t *size,
                               uint32_t pool_i);

/* The reservations that alone could hold the pod, when nothing else of the pool could; empty
 * otherwise. */
struct str reason_reservations(const struct explainer *x, uint32_t need_i, const int64_t *size,
                               uint32_t pool_i);

/* "no pod that runs or that this plan places matches its required pod affinity (app=ghost) on
 * topology.kubernetes.io/zone"; all required terms on that topology key. `pod` into cluster->pods.
 */
struct str reason_affinity_text(const struct explainer *x, uint32_t pod, strid key);

/* A pod that asks for a host by name, which only a running node can be. */
struct str reason_host_text(const struct explainer *x, const struct sched_req *req);

/* "cpu 4, nodes 1" */
struct str reason_limits_left(const struct explainer *x, uint32_t pool_i);
