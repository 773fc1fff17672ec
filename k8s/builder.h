/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds a k8s_cluster from API objects that arrive one at a time, as JSON values.
 *
 * Each object is decoded by the tables of k8s/codec.h into the builder's arena; only the fields
 * that some rule reads are kept. Objects of unknown kinds are counted and ignored. An object that
 * breaks a rule of its schema is not taken: the call fails with a path (`Pod shop/web-0:
 * spec.containers[1].resources.requests.cpu: ...`), nothing of it is kept, and the next call works.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "k8s/cluster.h"

struct arena;
struct k8s_builder; /* opaque, lives in its arena */

/* How often each kind was seen; sums to the number of objects added. */
struct k8s_kind_count {
    struct str kind; /* "" when the object has none */
    uint32_t n, n_rejected, n_replaced;
    bool known;
};

struct k8s_builder *k8s_builder_new(struct arena *arena, struct strtab *tab);

/* Adds one object. `list_kind` is the kind of items of a typed list whose items carry none ("Pod"
 * for a PodList), or empty. `source_i` is kept for messages. `removed`: a watch event DELETED; the
 * object of that name goes away. A decoded duplicate replaces the earlier object; *ret_replaced
 * (may be NULL) says so. Errors: ERR_INVALID (field, value and rule), ERR_LIMIT (name of the cap).
 */
MUST_CHECK bool k8s_builder_add(struct k8s_builder *builder, json_t *object, struct str list_kind,
                                uint32_t source_i, bool removed, bool *ret_replaced,
                                struct err *err);

/* The counts so far, sorted by kind; the array is in the builder's arena. */
void k8s_builder_counts(const struct k8s_builder *builder, const struct k8s_kind_count **ret_counts,
                        uint32_t *ret_n);

/* The cluster; the builder may not be used afterwards. The result shares the builder's arena. */
const struct k8s_cluster *k8s_builder_finish(struct k8s_builder *builder);

enum k8s_expand { K8S_EXPAND_AUTO, K8S_EXPAND_NEVER };

/* Adds the pods that workloads without any pod of their own in the input would have: replicas of
 * Deployments, StatefulSets, ReplicaSets, ReplicationControllers, Jobs and CronJobs (one run),
 * named as their controllers would name them (web-0, or <name>-<n>), with StatefulSet claims. Pods
 * get no status, so they count as pending. To be called once before k8s_builder_finish. *ret_n_pods
 * says how many pods were made. Errors: ERR_LIMIT (LIMIT_REPLICAS, LIMIT_PODS) names the workload.
 */
MUST_CHECK bool k8s_builder_expand(struct k8s_builder *builder, enum k8s_expand mode,
                                   uint32_t *ret_n_pods, struct err *err);
